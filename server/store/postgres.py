"""The store in Postgres with pgvector; it does not know consent, nor who may ask for what.

The SQL is in `queries.sql`. Batches go in as one JSON document a table, which is one
statement however many rows there are.
"""

import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, LiteralString, cast
from uuid import UUID

import psycopg
from pgvector import HalfVector
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from server.errors import SessionUnknownError, StoreError
from server.store import (
    EMOTION_LOG,
    MEMORY,
    PLAN_STEPS,
    AuditCount,
    Batch,
    Memory,
    Recalled,
    Receipt,
    Session,
    Turn,
    Vector,
    highest_risk,
)

CONNECTIONS = 4
"""One for writing behind, and a few for recall and erasure meanwhile."""
CONNECT_TIMEOUT_S = 10


def load_queries(text: str) -> dict[str, LiteralString]:
    """Splits a file of statements, each under a line `-- name: …`, into statements by name."""
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)[1:]
    # The file is part of the program, as safe as a literal.
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {name: cast(LiteralString, sql.strip()) for name, sql in pairs}


QUERIES = load_queries(files("server.store").joinpath("queries.sql").read_text("utf-8"))


class Transaction:
    """Runs named queries in one transaction."""

    def __init__(self, connection: AsyncConnection[DictRow]) -> None:
        self._connection = connection

    async def run(self, query: str, **parameters: object) -> list[DictRow]:
        """Runs one query of `queries.sql` and gives its rows; [] where it has none."""
        cursor = await self._connection.execute(
            QUERIES[query], {name: _plain(value) for name, value in parameters.items()}
        )
        return await cursor.fetchall() if cursor.description else []

    async def write(self, query: str, rows: Iterable[Mapping[str, Any]]) -> list[DictRow]:
        """Runs one query that takes many rows as JSON."""
        plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
        if not plain:
            return []
        return await self.run(query, rows=json.dumps(plain, default=_as_json))


class PostgresStore:
    """A Store over a pool of connections, which are made anew when they break."""

    def __init__(self, dsn: str) -> None:
        self._pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
            dsn,
            connection_class=AsyncConnection[DictRow],
            kwargs={"row_factory": dict_row, "connect_timeout": CONNECT_TIMEOUT_S},
            min_size=1,
            max_size=CONNECTIONS,
            timeout=CONNECT_TIMEOUT_S,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )

    async def open(self) -> None:
        """Connects. Raises StoreError if the database cannot be reached."""
        with _store_errors():
            await self._pool.open(wait=True, timeout=CONNECT_TIMEOUT_S)

    async def close(self) -> None:
        """Closes the connections."""
        await self._pool.close()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        with _store_errors():
            async with self._pool.connection() as connection:
                yield Transaction(connection)

    @asynccontextmanager
    async def _alone(self, person: str) -> AsyncIterator[Transaction]:
        """Keeps other writers of a person out."""
        async with self._transaction() as do:
            await do.run("lock_person", person=person)
            await do.run("lock_sessions", person=person)
            yield do

    @asynccontextmanager
    async def _erasure(self, person: str, receipt: dict[str, Any]) -> AsyncIterator[Transaction]:
        """Keeps writers of a person out, and counts that person's rows before and after."""
        async with self._alone(person) as do:
            receipt["before"] = (await do.run("counts_of_person", person=person))[0]
            yield do
            await do.run("drop_without_talk", person=person)
            receipt["after"] = (await do.run("counts_of_person", person=person))[0]

    async def open_session(self, session: Session) -> None:
        """Begins a session, or takes it up again. Raises SessionUnknownError."""
        async with self._transaction() as do:
            person_id = (await do.run("make_person", person=session.person))[0]["id"]
            device_id = None
            if session.device:
                made = await do.run("make_device", person_id=person_id, device=session.device)
                device_id = made[0]["id"]
            known = asdict(session) | {"keeps": sorted(session.keeps)}
            if not await do.run("open_session", **known, person_id=person_id, device_id=device_id):
                raise SessionUnknownError

    async def close_session(
        self, session_id: UUID, ended_at: datetime, summary: str = "", risk_level: str = "none"
    ) -> None:
        """Ends a session."""
        async with self._transaction() as do:
            await do.run(
                "close_session",
                session_id=session_id,
                ended_at=ended_at,
                summary=summary,
                risk_level=risk_level,
            )

    async def session(self, session_id: UUID) -> Session | None:
        """Finds a session."""
        async with self._transaction() as do:
            rows = await do.run("session", session_id=session_id)
        return Session(**rows[0] | {"keeps": frozenset(rows[0]["keeps"])}) if rows else None

    async def history(self, session_id: UUID) -> list[Turn]:
        """Lists the turns of a session."""
        async with self._transaction() as do:
            return [Turn(**row) for row in await do.run("history", session_id=session_id)]

    async def write(self, batch: Batch) -> frozenset[UUID]:
        """Makes a batch durable in one transaction."""
        turns = {turn.id: asdict(turn) for turn in batch.turns}
        emotions = {(frame.session_id, frame.at): asdict(frame) for frame in batch.emotions}
        latencies = {(one.session_id, one.turn): asdict(one) for one in batch.latencies}
        events = {event.id: asdict(event) for event in batch.events}
        async with self._transaction() as do:
            kept = await do.write("write_turns", turns.values())
            await do.write("write_emotions", emotions.values())
            await do.write("write_latencies", latencies.values())
            await do.write("write_events", events.values())
        return frozenset(row["id"] for row in kept)

    async def add_memories(self, memories: Sequence[Memory]) -> None:
        """Keeps memories."""
        rows = {one.id: vars(one) | {"vector": _vector(one.vector)} for one in memories}
        async with self._transaction() as do:
            await do.write("add_memories", rows.values())

    async def recall(self, person: str, vector: Vector, model: str, limit: int) -> list[Recalled]:
        """Finds the nearest memories of one person, by exact search."""
        async with self._transaction() as do:
            rows = await do.run(
                "recall", person=person, vector=_vector(vector), model=model, limit=limit
            )
        return [Recalled(**row) for row in rows]

    async def set_consent(self, person: str, purpose: str, granted: bool, at: datetime) -> None:
        """Writes down a change of consent."""
        async with self._transaction() as do:
            if granted:
                await do.run("make_person", person=person)
            await do.run("set_consent", person=person, purpose=purpose, granted=granted, at=at)

    async def consents(self, person: str) -> frozenset[str]:
        """Says what a person allows now."""
        async with self._transaction() as do:
            return frozenset(row["purpose"] for row in await do.run("consents", person=person))

    async def last_disclosure(self, person: str) -> datetime | None:
        """Says when the person was last told that this is a machine."""
        async with self._transaction() as do:
            rows = await do.run("last_disclosure", person=person)
        return cast(datetime | None, rows[0]["last_disclosed_at"]) if rows else None

    async def set_last_disclosure(self, person: str, at: datetime) -> None:
        """Writes down when the person was told."""
        async with self._transaction() as do:
            await do.run("set_last_disclosure", person=person, at=at)

    async def plan(self, person: str) -> tuple[str, ...]:
        """Gives the texts of the person's safety plan."""
        async with self._transaction() as do:
            kept = {row["step"]: row["text"] for row in await do.run("plan", person=person)}
        return tuple(kept.get(step, "") for step in range(1, PLAN_STEPS + 1))

    async def set_plan(self, person: str, texts: Sequence[str], at: datetime) -> None:
        """Keeps a plan in the place of the one before, or erases it."""
        rows = [
            {"person": person, "step": step, "text": plain, "changed_at": at}
            for step, text in enumerate(texts, 1)
            if (plain := _plain(text))
        ]
        async with self._alone(person) as do:
            await do.run("drop_steps", person=person, but=[row["step"] for row in rows])
            await do.write("write_steps", rows)

    async def minor(self, person: str) -> bool | None:
        """Says whether the person said that they are a minor."""
        async with self._transaction() as do:
            rows = await do.run("minor", person=person)
        return cast(bool | None, rows[0]["minor"]) if rows else None

    async def set_minor(self, person: str, minor: bool | None) -> None:
        """Writes down whether they are."""
        async with self._alone(person) as do:
            await do.run("set_minor", person=person, minor=minor)

    async def talk_days(self, person: str, since: datetime) -> int:
        """Counts the days on which kept sessions of a person began."""
        async with self._transaction() as do:
            return cast(int, (await do.run("talk_days", person=person, since=since))[0]["days"])

    async def carried_risk(self, person: str, besides: UUID) -> str:
        """Gives the gravest level of the person's newest session."""
        async with self._transaction() as do:
            rows = await do.run("levels_of_newest_session", person=person, besides=besides)
        return highest_risk(row["level"] for row in rows)

    async def erase(self, person: str, purpose: str) -> Receipt:
        """Erases what was kept of a person under one purpose."""
        queries = {MEMORY: "erase_memory", EMOTION_LOG: "erase_emotion_log"}
        receipt: dict[str, Any] = {}
        async with self._erasure(person, receipt) as do:
            if purpose in queries:
                await do.run(queries[purpose], person=person)
                await do.run("drop_sessions_kept_for", person=person, purpose=purpose)
                await do.run("drop_unused_people", person=person)
        return Receipt(**receipt)

    async def forget_session(self, session_id: UUID) -> Receipt:
        """Erases a session."""
        async with self._transaction() as do:
            owners = await do.run("person_of_session", session_id=session_id)
        if not owners:
            return Receipt()
        receipt: dict[str, Any] = {}
        async with self._erasure(owners[0]["person"], receipt) as do:
            await do.run("forget_session", session_id=session_id)
        return Receipt(**receipt)

    async def forget_span(self, person: str, begin: datetime, end: datetime) -> Receipt:
        """Erases a span of time of a person."""
        receipt: dict[str, Any] = {}
        async with self._erasure(person, receipt) as do:
            touched = await do.run("forget_span", person=person, begin=begin, end=end)
            await do.run("drop_empty_sessions", ids=[row["id"] for row in touched])
            if touched:
                await do.run("forget_age", person=person)
        return Receipt(**receipt)

    async def forget_person(self, person: str) -> Receipt:
        """Erases a person."""
        receipt: dict[str, Any] = {}
        async with self._erasure(person, receipt) as do:
            await do.run("forget_person", person=person)
        return Receipt(**receipt)

    async def purge(self, before: datetime) -> Receipt:
        """Erases the sessions that began before a moment."""
        counted = await self.counts()
        async with self._transaction() as do:
            await do.run("purge", before=before)
        # Apart, since somebody who opens a talk locks the person first and the session then.
        async with self._transaction() as do:
            await do.run("drop_without_talk", person=None)
            await do.run("drop_unused_people", person=None)
        return Receipt(before=counted, after=await self.counts())

    async def audit(self, code: str, level: str, at: datetime, session_id: UUID | None) -> None:
        """Adds one line to the audit."""
        day = at.astimezone(UTC).date()
        async with self._transaction() as do:
            await do.run("audit", code=code, level=level, day=day, session_id=session_id)

    async def audit_counts(self) -> list[AuditCount]:
        """Counts the lines of the audit."""
        async with self._transaction() as do:
            return [AuditCount(**row) for row in await do.run("audit_counts")]

    async def counts(self) -> dict[str, int]:
        """Counts the rows of every table."""
        async with self._transaction() as do:
            return (await do.run("counts"))[0]


@contextmanager
def _store_errors() -> Iterator[None]:
    """Turns the library's errors into a StoreError without any value of a row."""
    try:
        yield
    except psycopg.Error as error:
        # Its text may quote a row, so a copy without the text becomes the cause.
        state = error.sqlstate or type(error).__name__
        cause = type(error)(state).with_traceback(error.__traceback__)
        raise StoreError(
            f"The database failed ({state}); check that it runs and that its disk is not full."
        ) from cause


def _plain(value: object) -> object:
    """Takes out of a text what Postgres cannot hold: NUL and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return value


def _as_json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _vector(vector: Vector) -> str:
    return str(HalfVector(vector).to_text())
