"""Answers one SQL query as a table, CSV or JSON, or opens psql; it does not know the views.

It enters as the role that may only read the views, in a read-only transaction with a time
limit, and reads the answer in portions, so that an answer may be larger than the memory.
"""

import csv
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain, islice
from typing import Any, Literal, TextIO

import psycopg
from psycopg.conninfo import make_conninfo

from server.errors import StoreError
from server.store.embedded import READER, binary
from server.store.migrate import unreachable

Format = Literal["table", "csv", "json"]
Rows = Iterator[Sequence[object]]

TIMEOUT_S = 30
"""A query that needs longer is stopped, so that it cannot take the machine from a talk."""
PORTION = 1000
"""Rows fetched at a time; the widths of a table's columns are measured on the first portion."""
OPTIONS = f"-c role={READER} -c default_transaction_read_only=on -c statement_timeout={TIMEOUT_S}s"
FIRST_WORD = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(\w+)", re.DOTALL)
CURSOR_WORDS = ("select", "with", "values", "table")
"""What can be read through a cursor; the rest, such as EXPLAIN, answers in a few rows."""

VIEWS = "session_log, emotion_timeline, session_summary, mood_by_day, latency_log and risk_events"
READ_ONLY = "This would change the data, which is read-only here."
SENTENCES = {
    "25006": READ_ONLY,
    "55000": READ_ONLY,  # a view that cannot be written
    "42501": f"Only the views may be read here: {VIEWS}.",
    "42P01": f"There is no such table or view; the views are {VIEWS}.",
    "57014": f"The query was stopped after {TIMEOUT_S} s; ask for less.",
}
"""What to say to an SQLSTATE; for others Postgres's own words are good."""
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
"""Characters that would steer a terminal."""


def run_sql(dsn: str, query: str | None, fmt: Format = "table") -> int:
    """Prints the answer to a query; without one, opens psql.

    dsn: of a role that is, or may become, the reader.
    Returns 0, or 1 after one sentence on stderr.
    """
    dsn = make_conninfo(dsn, options=OPTIONS)
    try:
        if query is None:
            return _psql(dsn, fmt)
        _answer(dsn, query, fmt, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; Python would complain when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (StoreError, psycopg.Error) as error:
        print(_sentence(error), file=sys.stderr)
        return 1
    return 0


def _answer(dsn: str, query: str, fmt: Format, out: TextIO) -> None:
    try:
        connection = psycopg.connect(dsn)
    except psycopg.OperationalError as error:
        raise unreachable(error) from error
    with connection:
        connection.read_only = True
        with _rows(connection, query) as (names, rows):
            match fmt:
                case "csv":
                    _write_csv(names, rows, out)
                case "json":
                    _write_json(names, rows, out)
                case "table":
                    write_table(names, rows, out)


@contextmanager
def _rows(connection: psycopg.Connection[Any], query: str) -> Iterator[tuple[list[str], Rows]]:
    """Begins a query. Raw cursors take it as it is, and one statement only."""
    found = FIRST_WORD.match(query)
    word = found[1].lower() if found else ""
    if word == "copy":
        raise StoreError("COPY is not answered; ask with SELECT and --csv.")
    if word in CURSOR_WORDS:
        with psycopg.RawServerCursor(connection, "answer") as cursor:
            cursor.itersize = PORTION
            cursor.execute(query.encode().rstrip().rstrip(b";"))
            yield [column.name for column in cursor.description or ()], iter(cursor)
        return
    with psycopg.RawCursor(connection) as plain:
        rows: Rows = plain.stream(query.encode())
        first = list(islice(rows, 1))
        yield [column.name for column in plain.description or ()], chain(first, rows)


def _write_csv(names: list[str], rows: Rows, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180
    writer.writerow(names)
    writer.writerows([_text(value) for value in row] for row in rows)


def _write_json(names: list[str], rows: Rows, out: TextIO) -> None:
    separator = "["
    for row in rows:
        line = dict(zip(names, map(_json, row), strict=True))
        out.write(separator + json.dumps(line, ensure_ascii=False, default=_text))
        separator = ",\n "
    out.write("]\n" if separator != "[" else "[]\n")


def write_table(names: list[str], rows: Rows, out: TextIO) -> None:
    """Writes rows as psql does, numbers to the right."""
    sample = list(islice(rows, PORTION))
    right = [
        any(isinstance(row[place], int | float | Decimal) for row in sample)
        for place in range(len(names))
    ]
    cells = [[_cell(value) for value in row] for row in sample]
    widths = [max(_width(row[place]) for row in [names, *cells]) for place in range(len(names))]

    def line(row: Sequence[str], aligned: Sequence[bool]) -> str:
        padding = [" " * (width - _width(cell)) for width, cell in zip(widths, row, strict=True)]
        padded = [
            f" {space}{cell} " if to_right else f" {cell}{space} "
            for cell, space, to_right in zip(row, padding, aligned, strict=True)
        ]
        return "|".join(padded).rstrip() + "\n"

    out.write(line(names, [False] * len(names)))
    out.write("+".join("-" * (width + 2) for width in widths) + "\n")
    count = 0
    for row in chain(cells, ([_cell(value) for value in later] for later in rows)):
        out.write(line(row, right))
        count += 1
    out.write(f"({count} row{'' if count == 1 else 's'})\n")


def _text(value: object) -> str:
    """Writes one value: nothing for null, ISO 8601 for times."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime() | date() | time():
            return value.isoformat()
        case list() | dict():
            return json.dumps(value, ensure_ascii=False, default=_text)
        case bytes() | memoryview():
            return "\\x" + bytes(value).hex()
        case _:
            return str(value)


def _json(value: object) -> object:
    """Makes numbers of decimals; what JSON has no number for becomes null."""
    if isinstance(value, Decimal):
        value = float(value) if value.is_nan() or value % 1 else int(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _cell(value: object) -> str:
    """Writes one value on one line."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", _text(value).replace("\n", "\\n"))


def _width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return len(text) + wide - sum(bool(unicodedata.combining(sign)) for sign in text)


def _sentence(error: StoreError | psycopg.Error) -> str:
    if isinstance(error, StoreError):
        return str(error)
    said = error.diag.message_primary or str(error).split("\n", 1)[0]
    if "multiple commands" in said:
        return "Only one statement at a time is answered; ask them one by one."
    if "EMPTY_QUERY" in said:
        return "The query is empty; without a query, psql opens."
    if "data-modifying" in said:
        return READ_ONLY
    if "didn't produce" in said:
        return "This statement gives no rows; ask with SELECT."
    return SENTENCES.get(error.sqlstate or "", f"The query cannot be answered: {said}.")


def _psql(dsn: str, fmt: Format) -> int:
    """Runs psql on the terminal, or on what stdin holds.

    The connection goes by the environment, where a list of processes does not show it.
    """
    bundled = binary("psql")
    program = str(bundled) if bundled.exists() else shutil.which("psql")
    if program is None:
        raise StoreError("The program psql is missing; install the client of Postgres.")
    environment = dict(os.environ)
    for option in psycopg.pq.Conninfo.parse(dsn.encode()):
        if option.val is not None and option.envvar is not None:
            environment[option.envvar.decode()] = option.val.decode()
    arguments = ["--csv"] if fmt == "csv" else []
    if not sys.stdin.isatty():
        arguments += ["--quiet", "--set=ON_ERROR_STOP=1"]
    # Ctrl-C is for psql, which stays; this process goes on to stop what it started.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return min(
            1, subprocess.run([program, *arguments], env=environment, check=False).returncode
        )
    finally:
        signal.signal(signal.SIGINT, before)
