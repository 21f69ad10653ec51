"""Decides what of a talk may be kept, and is the only writer to the store.

Without consent nothing reaches the store but the nameless audit: no session, no person. It
does not know who asks for consent, nor the words of asking.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from server.store import (
    EMOTION_LOG,
    KEEPING,
    MEMORY,
    NO_PLAN,
    PURPOSES,
    Batch,
    Memory,
    Recalled,
    Receipt,
    Session,
    Store,
    Turn,
    Vector,
)

ALWAYS = datetime.min.replace(tzinfo=UTC)
"""Since when something is kept that was consented to before the talk began."""


class Keeper:
    """Keeps one session as far as its person consents.

    Consents belong to the session: opening one without `memory` keeps nothing of it, and
    leaves earlier talks as they are. Taking a consent back is for all talks of the person.
    All methods raise StoreError if the store fails.
    """

    def __init__(self, store: Store, session: Session, consents: Iterable[str]) -> None:
        """consents: names of consents; those that do not concern keeping are ignored."""
        self._store = store
        self._session = session
        self._since = {purpose: ALWAYS for purpose in PURPOSES if purpose in set(consents)}
        self._forgotten: list[tuple[datetime, datetime]] = []
        self._writing = asyncio.Lock()

    @property
    def consents(self) -> frozenset[str]:
        """The part of PURPOSES that holds in this session now."""
        return frozenset(self._since)

    def keeps(self, purpose: str) -> bool:
        """Whether rows under one of KEEPING are kept now."""
        return purpose in KEEPING and purpose in self._since

    async def open(self) -> None:
        """Begins to keep the session, or takes it up again, if anything may be kept.

        Raises SessionUnknownError if the session is another person's.
        """
        async with self._writing:
            await self._open(self._session.started_at)

    async def change(self, purpose: str, granted: bool, at: datetime) -> Receipt:
        """Follows a consent given or taken back in mid-talk.

        Given: what is said and seen from `at` on is kept. Taken back: what was ever kept
        under it is erased, in all talks of the person; the receipt counts it.
        """
        if purpose not in PURPOSES:
            return Receipt()
        async with self._writing:
            if granted:
                self._since.setdefault(purpose, at)
                await self._open(at)
                return Receipt()
            # Nothing more is kept, even if the erasure fails.
            self._since.pop(purpose, None)
            person = self._session.person
            await self._store.set_consent(person, purpose, False, at)
            return await self._store.erase(person, purpose)

    async def write(self, batch: Batch) -> frozenset[UUID]:
        """Makes durable what of a batch may be kept; returns the ids of the turns kept."""
        async with self._writing:
            allowed = self._allowed(batch)
            return await self._store.write(allowed) if allowed else frozenset()

    async def remember(self, memories: Sequence[Memory]) -> None:
        """Keeps memories, if `memory` allows it."""
        async with self._writing:
            allowed = [one for one in memories if self._may(MEMORY, one.created_at)]
            if allowed:
                await self._store.add_memories(allowed)

    async def recall(self, vector: Vector, model: str, limit: int) -> list[Recalled]:
        """Finds the person's nearest memories; [] without `memory`."""
        if not self.keeps(MEMORY):
            return []
        return await self._store.recall(self._session.person, vector, model, limit)

    async def last_disclosure(self) -> datetime | None:
        """Says when the person was last told that this is a machine; None: unknown, tell."""
        if not self.keeps(MEMORY):
            return None
        return await self._store.last_disclosure(self._session.person)

    async def disclosed(self, at: datetime) -> None:
        """Writes down that the person was told, if `memory` allows it."""
        async with self._writing:
            if self.keeps(MEMORY):
                await self._store.set_last_disclosure(self._session.person, at)

    async def plan(self) -> tuple[str, ...]:
        """Gives the texts of the person's safety plan, step by step; NO_PLAN without `memory`."""
        if not self.keeps(MEMORY):
            return NO_PLAN
        return await self._store.plan(self._session.person)

    async def keep_plan(self, texts: Sequence[str], at: datetime) -> None:
        """Keeps a plan in the place of the one before, if `memory` allows it.

        texts: one for each step, "" where it was left out; all empty: the plan is erased.
        """
        async with self._writing:
            if self.keeps(MEMORY):
                await self._store.set_plan(self._session.person, texts, at)

    async def minor(self) -> bool | None:
        """Says whether the person said that they are a minor; None: not known."""
        if not self.keeps(MEMORY):
            return None
        return await self._store.minor(self._session.person)

    async def keep_minor(self, minor: bool | None) -> None:
        """Writes down whether they are, if `memory` allows it."""
        async with self._writing:
            if self.keeps(MEMORY):
                await self._store.set_minor(self._session.person, minor)

    async def talk_days(self, since: datetime) -> int:
        """Counts the days on which the person's kept talks began; 0 without `memory`."""
        if not self.keeps(MEMORY):
            return 0
        return await self._store.talk_days(self._session.person, since)

    async def carried_risk(self) -> str:
        """Gives how near danger was when they last talked; "none" without `memory`."""
        if not self.keeps(MEMORY):
            return "none"
        return await self._store.carried_risk(self._session.person, self._session.id)

    async def audit(self, code: str, level: str, at: datetime) -> None:
        """Notes what the server did; it can be linked to the session only under `memory`.

        code: one of `server.store.CODES`.
        """
        session_id = self._session.id if self.keeps(MEMORY) else None
        await self._store.audit(code, level, at, session_id)

    async def forget_session(self) -> Receipt:
        """Erases this session; the rest of it is not kept either."""
        async with self._writing:
            self._since = {}
            return await self._store.forget_session(self._session.id)

    async def forget_span(self, begin: datetime, end: datetime) -> Receipt:
        """Erases a span [begin, end) of the person's talks; keeping goes on after it."""
        async with self._writing:
            self._forgotten.append((begin, end))
            return await self._store.forget_span(self._session.person, begin, end)

    async def forget_person(self) -> Receipt:
        """Erases the person; the rest of this session is not kept either."""
        async with self._writing:
            self._since = {}
            return await self._store.forget_person(self._session.person)

    async def close(self, ended_at: datetime, summary: str = "", risk_level: str = "none") -> None:
        """Ends the session; summary and level are kept under `memory` only."""
        async with self._writing:
            if self._kept():
                words = summary if self.keeps(MEMORY) else ""
                await self._store.close_session(self._session.id, ended_at, words, risk_level)

    async def _open(self, at: datetime) -> None:
        if kept := self._kept():
            await self._store.open_session(replace(self._session, keeps=kept))
            for purpose in sorted(self._since):
                await self._store.set_consent(self._session.person, purpose, True, at)

    def _kept(self) -> frozenset[str]:
        return KEEPING & self._since.keys()

    def _may(self, purpose: str, at: datetime) -> bool:
        """Whether something said or seen at a moment may be kept."""
        if purpose not in self._since or at < self._since[purpose]:
            return False
        return not any(begin <= at < end for begin, end in self._forgotten)

    def _allowed(self, batch: Batch) -> Batch:
        return Batch(
            turns=[self._seen(one) for one in batch.turns if self._may(MEMORY, one.said_at)],
            emotions=[one for one in batch.emotions if self._may(EMOTION_LOG, one.at)],
            latencies=[one for one in batch.latencies if self._may(MEMORY, one.at)],
            events=[one for one in batch.events if self._may(MEMORY, one.at)],
        )

    def _seen(self, turn: Turn) -> Turn:
        if self._may(EMOTION_LOG, turn.said_at):
            return turn
        return replace(turn, emotion=None, emotion_probability=None)
