"""Opens the database that the settings name; it does not know what is kept there."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg.conninfo import make_conninfo

from server.config import Settings
from server.errors import ConfigError
from server.store import Store
from server.store.embedded import EmbeddedPostgres
from server.store.in_memory import InMemoryStore
from server.store.migrate import migrate
from server.store.postgres import PostgresStore

log = logging.getLogger("tadbot.database")

ENGINES = ("embedded", "postgres", "memory")


@dataclass(frozen=True)
class Database:
    """Connection strings of one database; empty for a store in memory."""

    owner: str
    reader: str
    """Of a login that is the reader, or may become it."""

    def store(self) -> Store:
        """Makes the store over it, not yet opened."""
        return PostgresStore(self.owner) if self.owner else InMemoryStore()


@contextmanager
def database(settings: Settings) -> Iterator[Database]:
    """Starts or joins the database and leaves it at the end.

    Raises StoreError if it does not run, ConfigError for an unknown engine.
    """
    match settings.store.engine:
        case "memory":
            log.info("nothing is kept beyond this server's life: store.engine is memory")
            yield Database("", "")
        case "postgres":
            # Empty but for the name: libpq takes the rest from the PG* variables.
            dsn = make_conninfo(application_name="tadbot")
            yield Database(dsn, dsn)
        case "embedded":
            postgres = _embedded(settings)
            try:
                postgres.start()
                yield Database(postgres.dsn, postgres.reader_dsn)
            finally:
                postgres.stop()
        case other:
            known = ", ".join(ENGINES)
            raise ConfigError(
                f"The setting store.engine = {other!r} is unknown; there are {known}."
            )


def is_there(settings: Settings) -> bool:
    """Whether the database was ever made, without making it; only the bundled one can tell."""
    if settings.store.engine != "embedded":
        return True
    try:
        return _embedded(settings).exists
    except PermissionError:
        return True  # somebody else's; who opens it is told


def prepare(base: Database) -> None:
    """Brings the schema up to date. Raises StoreError if it cannot, or is newer."""
    if base.owner:
        status = migrate(base.owner)
        log.info("the schema is at migration %s", status.applied[-1])


def _embedded(settings: Settings) -> EmbeddedPostgres:
    return EmbeddedPostgres(settings.data_dir / "postgres")
