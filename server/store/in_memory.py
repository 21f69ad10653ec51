"""The store in this process, gone with it: the twin of `postgres` for tests and doctors.

It does not know SQL; the contract suite holds it to the same answers.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from server.errors import SessionUnknownError
from server.store import (
    EMOTION_LOG,
    KEEPING,
    MEMORY,
    PLAN_STEPS,
    RISK_LEVELS,
    TABLES,
    AuditCount,
    Batch,
    EmotionFrame,
    Latency,
    Memory,
    Recalled,
    Receipt,
    RiskEvent,
    Session,
    Turn,
    Vector,
    highest_risk,
)


@dataclass
class _Person:
    last_disclosed_at: datetime | None = None
    minor: bool | None = None
    plan: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    """By step, from 1: its text, and when that was last changed."""
    devices: set[str] = field(default_factory=set)
    consents: list[tuple[str, bool]] = field(default_factory=list)

    def allows(self) -> frozenset[str]:
        return frozenset(purpose for purpose, granted in dict(self.consents).items() if granted)


@dataclass
class _Line:
    code: str
    level: str
    day: date
    key: UUID | None


class InMemoryStore:
    """A Store in dictionaries."""

    def __init__(self) -> None:
        self._people: dict[str, _Person] = {}
        self._sessions: dict[UUID, Session] = {}
        self._audit_keys: dict[UUID, UUID] = {}
        self._turns: dict[UUID, Turn] = {}
        self._emotions: dict[tuple[UUID, datetime], EmotionFrame] = {}
        self._latencies: dict[tuple[UUID, int], Latency] = {}
        self._memories: dict[UUID, Memory] = {}
        self._events: dict[UUID, RiskEvent] = {}
        self._ended_at_risk: dict[UUID, str] = {}
        self._audit: list[_Line] = []

    async def open(self) -> None:
        """Does nothing: it is always there."""

    async def close(self) -> None:
        """Does nothing: what it holds goes with it."""

    async def open_session(self, session: Session) -> None:
        """Begins a session, or takes it up again. Raises SessionUnknownError."""
        known = self._sessions.get(session.id)
        if known and known.person != session.person:
            raise SessionUnknownError
        person = self._people.setdefault(session.person, _Person())
        if session.device:
            person.devices.add(session.device)
        if known:
            session = replace(known, ended_at=None, keeps=known.keeps | session.keeps)
        self._sessions[session.id] = session
        self._audit_keys.setdefault(session.id, uuid4())

    async def close_session(
        self, session_id: UUID, ended_at: datetime, summary: str = "", risk_level: str = "none"
    ) -> None:
        """Ends a session."""
        if session := self._sessions.get(session_id):
            kept = summary if MEMORY in session.keeps else ""
            self._sessions[session_id] = replace(session, ended_at=ended_at, summary=kept)
            if MEMORY in session.keeps:
                self._ended_at_risk[session_id] = risk_level

    async def session(self, session_id: UUID) -> Session | None:
        """Finds a session."""
        return self._sessions.get(session_id)

    async def history(self, session_id: UUID) -> list[Turn]:
        """Lists the turns of a session."""
        turns = [turn for turn in self._turns.values() if turn.session_id == session_id]
        return sorted(turns, key=lambda turn: (turn.turn, turn.said_at, turn.speaker))

    async def write(self, batch: Batch) -> frozenset[UUID]:
        """Keeps a batch."""
        turns = [turn for turn in batch.turns if self._keeps(turn.session_id, MEMORY)]
        for turn in turns:
            if not self._keeps(turn.session_id, EMOTION_LOG):
                turn = replace(turn, emotion=None, emotion_probability=None)
            self._turns[turn.id] = turn
        for frame in batch.emotions:
            if self._keeps(frame.session_id, EMOTION_LOG):
                self._emotions.setdefault((frame.session_id, frame.at), frame)
        for latency in batch.latencies:
            if self._keeps(latency.session_id, MEMORY):
                self._latencies[latency.session_id, latency.turn] = latency
        for event in batch.events:
            if self._keeps(event.session_id, MEMORY):
                self._events.setdefault(event.id, event)
        return frozenset(turn.id for turn in turns)

    async def add_memories(self, memories: Sequence[Memory]) -> None:
        """Keeps memories."""
        for memory in memories:
            if self._keeps(memory.session_id, MEMORY):
                self._memories.setdefault(memory.id, memory)

    async def recall(self, person: str, vector: Vector, model: str, limit: int) -> list[Recalled]:
        """Finds the nearest memories of one person."""
        found = [
            Recalled(
                text=memory.text,
                created_at=memory.created_at,
                similarity=float(memory.vector @ vector),
                session_id=memory.session_id,
                turn=memory.turn,
                kind=memory.kind,
            )
            for memory in self._memories.values()
            if memory.model == model and self._owner(memory.session_id) == person
        ]
        return sorted(found, key=lambda one: one.similarity, reverse=True)[:limit]

    async def set_consent(self, person: str, purpose: str, granted: bool, at: datetime) -> None:
        """Writes down a change of consent."""
        if granted:
            self._people.setdefault(person, _Person())
        who = self._people.get(person)
        if who and granted != (purpose in who.allows()):
            who.consents.append((purpose, granted))

    async def consents(self, person: str) -> frozenset[str]:
        """Says what a person allows now."""
        return self._people.get(person, _Person()).allows()

    async def last_disclosure(self, person: str) -> datetime | None:
        """Says when the person was last told that this is a machine."""
        return self._people.get(person, _Person()).last_disclosed_at

    async def set_last_disclosure(self, person: str, at: datetime) -> None:
        """Writes down when the person was told."""
        if person in self._people:
            self._people[person].last_disclosed_at = at

    async def plan(self, person: str) -> tuple[str, ...]:
        """Gives the texts of the person's safety plan."""
        kept = self._people.get(person, _Person()).plan
        return tuple(kept[step][0] if step in kept else "" for step in range(1, PLAN_STEPS + 1))

    async def set_plan(self, person: str, texts: Sequence[str], at: datetime) -> None:
        """Keeps a plan in the place of the one before, or erases it."""
        if self._remembers(person):
            before = self._people[person].plan
            steps = {step: (text, at) for step, text in enumerate(texts, 1) if text}
            for step, (text, _) in steps.items():
                if step in before and before[step][0] == text:
                    steps[step] = before[step]
            self._people[person].plan = steps

    async def minor(self, person: str) -> bool | None:
        """Says whether the person said that they are a minor."""
        return self._people.get(person, _Person()).minor

    async def set_minor(self, person: str, minor: bool | None) -> None:
        """Writes down whether they are."""
        if self._remembers(person):
            self._people[person].minor = minor

    async def talk_days(self, person: str, since: datetime) -> int:
        """Counts the days on which kept sessions of a person began."""
        began = [one.started_at for one in self._of(person) if one.started_at >= since]
        return len({moment.astimezone(UTC).date() for moment in began})

    async def carried_risk(self, person: str, besides: UUID) -> str:
        """Gives the gravest level of the person's newest session."""
        earlier = [one for one in self._of(person) if one.id != besides]
        if not earlier:
            return RISK_LEVELS[0]
        newest = max(earlier, key=lambda one: one.started_at).id
        if newest in self._ended_at_risk:
            return self._ended_at_risk[newest]
        levels = [turn.risk_level for turn in self._turns.values() if turn.session_id == newest]
        levels += [event.level for event in self._events.values() if event.session_id == newest]
        return highest_risk(levels)

    async def erase(self, person: str, purpose: str) -> Receipt:
        """Erases what was kept of a person under one purpose."""
        before = self._counts_of(person)
        owned = {session.id for session in self._of(person)}
        if purpose == MEMORY:
            self._drop(lambda row: row.session_id in owned, but=EmotionFrame)
            self._nameless(owned)
            for session_id in owned:
                self._ended_at_risk.pop(session_id, None)
            if person in self._people:
                self._people[person].last_disclosed_at = None
        elif purpose == EMOTION_LOG:
            self._drop(lambda row: row.session_id in owned, only=EmotionFrame)
            for turn in [turn for turn in self._turns.values() if turn.session_id in owned]:
                self._turns[turn.id] = replace(turn, emotion=None, emotion_probability=None)
        else:
            return Receipt(before=before, after=before)
        for session in self._of(person):
            summary = "" if purpose == MEMORY else session.summary
            kept = replace(session, keeps=session.keeps - {purpose}, summary=summary)
            self._sessions[session.id] = kept
        self._drop_sessions(one for one in owned if not self._sessions[one].keeps)
        self._drop_without_talk()
        self._drop_unused_people()
        return Receipt(before=before, after=self._counts_of(person))

    async def forget_session(self, session_id: UUID) -> Receipt:
        """Erases a session."""
        if session_id not in self._sessions:
            return Receipt()
        person = self._sessions[session_id].person
        before = self._counts_of(person)
        self._drop_sessions([session_id])
        self._drop_without_talk()
        return Receipt(before=before, after=self._counts_of(person))

    async def forget_span(self, person: str, begin: datetime, end: datetime) -> Receipt:
        """Erases a span of time of a person."""
        before = self._counts_of(person)
        owned = {session.id for session in self._of(person)}
        touched = self._drop(lambda row: row.session_id in owned and begin <= _moment(row) < end)
        for session_id in touched:
            self._sessions[session_id] = replace(self._sessions[session_id], summary="")
            self._ended_at_risk.pop(session_id, None)
        left = {row.session_id for table in self._tables() for row in table.values()}
        self._drop_sessions(
            one for one in touched - left if self._sessions[one].ended_at is not None
        )
        if person in self._people:
            who = self._people[person]
            who.plan = {step: one for step, one in who.plan.items() if not begin <= one[1] < end}
            if touched and not any(self._holds_words(session_id) for session_id in owned):
                who.minor = None
        self._drop_without_talk()
        return Receipt(before=before, after=self._counts_of(person))

    async def forget_person(self, person: str) -> Receipt:
        """Erases a person."""
        before = self._counts_of(person)
        self._drop_sessions(session.id for session in self._of(person))
        self._people.pop(person, None)
        return Receipt(before=before, after=self._counts_of(person))

    async def purge(self, before: datetime) -> Receipt:
        """Erases the sessions that began before a moment."""
        counted = await self.counts()
        old = [one.id for one in self._sessions.values() if one.started_at < before]
        self._drop_sessions(old)
        self._drop_without_talk()
        self._drop_unused_people()
        return Receipt(before=counted, after=await self.counts())

    async def audit(self, code: str, level: str, at: datetime, session_id: UUID | None) -> None:
        """Adds one line to the audit."""
        key = None
        if session_id is not None and self._keeps(session_id, MEMORY):
            key = self._audit_keys[session_id]
        self._audit.append(_Line(code, level, at.astimezone(UTC).date(), key))

    async def audit_counts(self) -> list[AuditCount]:
        """Counts the lines of the audit."""
        counted = Counter((f"{one.day:%Y-%m}", one.code, one.level) for one in self._audit)
        ordered = sorted(counted, key=lambda one: (*one[:2], RISK_LEVELS.index(one[2])))
        return [AuditCount(*one, counted[one]) for one in ordered]

    async def counts(self) -> dict[str, int]:
        """Counts the rows of every table."""
        counted = Counter(dict.fromkeys(TABLES, 0))
        for person in self._people:
            counted.update(self._counts_of(person))
        return dict(counted) | {"audit": len(self._audit)}

    def _tables(self) -> list[dict[Any, Any]]:
        return [self._turns, self._emotions, self._latencies, self._memories, self._events]

    def _keeps(self, session_id: UUID, purpose: str) -> bool:
        return session_id in self._sessions and purpose in self._sessions[session_id].keeps

    def _remembers(self, person: str) -> bool:
        """Whether a talk of the person is kept under the consent memory."""
        return any(MEMORY in session.keeps for session in self._of(person))

    def _holds_words(self, session_id: UUID) -> bool:
        """Whether anything that was said in a session is kept."""
        tables: list[dict[Any, Any]] = [self._turns, self._memories, self._events]
        return any(row.session_id == session_id for table in tables for row in table.values())

    def _owner(self, session_id: UUID) -> str:
        return self._sessions[session_id].person

    def _of(self, person: str) -> list[Session]:
        return [session for session in self._sessions.values() if session.person == person]

    def _drop(
        self, goes: Callable[[Any], bool], only: type[Any] = object, but: type[Any] | None = None
    ) -> set[UUID]:
        """Deletes rows of the five tables and gives the sessions they belonged to."""
        touched: set[UUID] = set()
        for table in self._tables():
            for key, row in list(table.items()):
                asked = isinstance(row, only) and not (but and isinstance(row, but))
                if asked and goes(row):
                    touched.add(row.session_id)
                    del table[key]
        return touched

    def _drop_sessions(self, session_ids: Iterable[UUID]) -> None:
        gone = set(session_ids)
        self._drop(lambda row: row.session_id in gone)
        self._nameless(gone)
        for session_id in gone:
            del self._sessions[session_id], self._audit_keys[session_id]
            self._ended_at_risk.pop(session_id, None)

    def _drop_without_talk(self) -> None:
        """Drops plans and ages of people of whom no talk is kept under the consent memory."""
        for name, person in self._people.items():
            if not self._remembers(name):
                person.plan, person.minor = {}, None

    def _drop_unused_people(self) -> None:
        for name, person in list(self._people.items()):
            if not self._of(name) and not person.allows() & KEEPING:
                del self._people[name]

    def _nameless(self, session_ids: Iterable[UUID]) -> None:
        """Empties the keys of some sessions in the audit, and gives the sessions new ones."""
        for session_id in session_ids:
            for line in self._audit:
                if line.key == self._audit_keys[session_id]:
                    line.key = None
            self._audit_keys[session_id] = uuid4()

    def _counts_of(self, person: str) -> dict[str, int]:
        if person not in self._people:
            return dict.fromkeys(TABLES, 0)
        owned = {session.id for session in self._of(person)}
        keys = {self._audit_keys[session_id] for session_id in owned}
        names = ("turns", "emotions", "latencies", "memories", "events")
        rows = {
            name: sum(row.session_id in owned for row in table.values())
            for name, table in zip(names, self._tables(), strict=True)
        }
        who = self._people[person]
        return rows | {
            "people": 1,
            "devices": len(who.devices),
            "sessions": len(owned),
            "consents": len(who.consents),
            "plans": len(who.plan),
            "audit": sum(line.key in keys for line in self._audit),
        }


def _moment(row: Turn | EmotionFrame | Latency | Memory | RiskEvent) -> datetime:
    match row:
        case Turn():
            return row.said_at
        case Memory():
            return row.created_at
        case _:
            return row.at
