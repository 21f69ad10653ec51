"""One embedded Postgres for all tests, and a fresh migrated database for each."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from server.store.embedded import OWNER, READER, EmbeddedPostgres
from server.store.migrate import migrate

TEMPLATE = "migrated_template"


@dataclass(frozen=True)
class Database:
    """A database of one test, by the roles that may enter it."""

    owner_dsn: str
    reader_dsn: str
    superuser_dsn: str


@pytest.fixture(scope="session")
def embedded_postgres() -> Iterator[EmbeddedPostgres]:
    """A running embedded Postgres with a migrated database to copy."""
    with tempfile.TemporaryDirectory(prefix="tadbot-test-") as folder:
        server = EmbeddedPostgres(Path(folder))
        server.start()
        try:
            with psycopg.connect(server.superuser_dsn(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {TEMPLATE} OWNER {OWNER}")
            with psycopg.connect(server.superuser_dsn(TEMPLATE), autocommit=True) as connection:
                connection.execute("CREATE EXTENSION vector")
            migrate(make_conninfo(server.dsn, dbname=TEMPLATE))
            yield server
        finally:
            server.stop()


@pytest.fixture
def empty_database(embedded_postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A database with pgvector and without any table."""
    yield from _database(embedded_postgres, "tadbot")


@pytest.fixture
def database(embedded_postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A migrated database without any row."""
    yield from _database(embedded_postgres, TEMPLATE)


def _database(server: EmbeddedPostgres, template: str) -> Iterator[Database]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server.superuser_dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}")
        yield Database(
            owner_dsn=make_conninfo(server.dsn, dbname=name, user=OWNER),
            reader_dsn=make_conninfo(server.dsn, dbname=name, user=READER),
            superuser_dsn=server.superuser_dsn(name),
        )
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
