"""Turns what happens in a talk into rows, and tells the client when they are durable.

It writes behind the talk's back and never raises into it, except where the person waits for
an answer (a consent, an erasure). The moments that the law asks about leave a line in the audit,
kept or not. It does not know what may be kept: the Keeper does.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID, uuid4

from tadbot.v1 import companion_pb2 as pb

from server.consent import ALWAYS, Keeper
from server.engines import Usage
from server.errors import StoreError
from server.outbox import Outbox
from server.recorder import Recorder
from server.safety import Assessment
from server.seeing import Sight
from server.speaking import Saying
from server.store import (
    CLAUSE_REPLACED,
    CONSENT_GIVEN,
    CONSENT_TAKEN_BACK,
    DISCLOSED,
    EMOTION_LOG,
    ERASED,
    HELPED,
    MEMORY,
    RISK,
    EmotionFrame,
    Latency,
    Receipt,
    RiskEvent,
    Turn,
)
from server.turns import Said

log = logging.getLogger("tadbot.session_log")

SUMMARY_CHARACTERS = 200
HELP_NAMED = ("high", "imminent")
"""Levels at which a help line or the emergency number is spoken."""
COLUMNS = {
    "end_of_turn": "end_of_turn_ms",
    "speech_to_text": "stt_ms",
    "safety": "safety_ms",
    "recall": "recall_ms",
    "first_token": "llm_first_token_ms",
    "first_clause": "llm_first_clause_ms",
    "text_to_speech": "tts_first_sound_ms",
    "first_sound": "first_sound_ms",
}
"""The column of each stage of `TurnLatency`."""


class SessionLog:
    """The log of one session."""

    def __init__(self, keeper: Keeper, session_id: UUID, outbox: Outbox) -> None:
        self._keeper = keeper
        self._session_id = session_id
        self._outbox = outbox
        self._recorder = Recorder(keeper, self._saved, self._failing)
        self._turn_of: dict[UUID, int] = {}
        self._told: set[int] = set()
        self._newest_turn = 0
        self._newest_danger: tuple[int, Assessment] | None = None
        self._disclosed_at: datetime | None = None
        self._noted: set[UUID] = set()
        """Replies of which the audit knows."""
        self._disclosures: set[UUID] = set()
        """The replies in which that was heard."""

    async def run(self) -> None:
        """Writes until it is cancelled."""
        await self._recorder.run()

    @property
    def consents(self) -> frozenset[str]:
        """The consents that hold now, by the names that the Keeper knows."""
        return self._keeper.consents

    async def person(self, said: Said, at: datetime) -> None:
        """Notes what the person said, what their face showed then, and danger in it."""
        self._newest_turn = turn = said.turn
        feeling, assessment, words = said.feeling, said.assessment, said.words
        row = Turn(
            id=said.row_id,
            session_id=self._session_id,
            turn=turn,
            speaker="person",
            said_at=at,
            text=words,
            revision=said.revision,
            emotion=feeling.label if feeling else None,
            emotion_probability=feeling.probability if feeling else None,
            risk_level=assessment.level,
        )
        self._turn_of[row.id] = turn
        self._recorder.turn(row)
        news = (turn, assessment) != self._newest_danger
        self._newest_danger = (turn, assessment)
        if assessment.level != "none" and news:
            event = RiskEvent(
                id=uuid4(),
                session_id=self._session_id,
                turn=turn,
                at=at,
                level=assessment.level,
                reason=assessment.reason,
                said=words,
            )
            self._recorder.risk(event)
            self._audit(RISK, assessment.level)

    def tadbot(self, saying: Saying) -> None:
        """Notes a reply when it was sent, and again when it is known what was heard of it."""
        if not saying.reply.clauses:
            return
        row = Turn(
            id=saying.id,
            session_id=self._session_id,
            turn=saying.turn,
            speaker="tadbot",
            said_at=saying.said_at,
            text=saying.reply.text,
            revision=saying.revision,
            heard=saying.heard if saying.settled else None,
            heard_fraction=saying.heard_fraction if saying.settled else None,
            risk_level=saying.answers.level if saying.answers else "none",
            interrupted=saying.interrupted,
        )
        if saying.settled:
            self._turn_of[row.id] = saying.turn
            self._note_safety(saying)
        self._recorder.turn(row)

    def emotion(self, at: datetime, sight: Sight) -> None:
        """Notes what a picture showed; one without a face leaves no row."""
        if sight.scores:
            scores = tuple((one.label, one.probability) for one in sight.scores)
            self._recorder.emotion(EmotionFrame(self._session_id, at, scores))

    def latency(self, turn: int, at: datetime, stages: Mapping[str, float], usage: Usage) -> None:
        """Notes where the time of a turn went, and what its prompt cost.

        stages: milliseconds by name of COLUMNS.
        """
        columns = {COLUMNS[name]: value for name, value in stages.items()} | asdict(usage)
        self._recorder.latency(Latency(self._session_id, turn, at, **columns))

    def disclosed(self, saying: Saying) -> None:
        """Notes that the person heard in a reply that this is a machine; again is the same."""
        self._disclosed_at = datetime.now(UTC)
        if saying.id not in self._disclosures:
            self._disclosures.add(saying.id)
            self._audit(DISCLOSED)

    def clause_replaced(self, count: int) -> None:
        """Notes how many clauses of a reply were replaced before they were spoken."""
        for _ in range(count):
            self._audit(CLAUSE_REPLACED)

    def helped(self, level: str) -> None:
        """Notes that help was named to the person, and at which level of danger."""
        self._audit(HELPED, level)

    def _note_safety(self, saying: Saying) -> None:
        """Notes, once a reply, what was replaced in it and that help was named."""
        if saying.id in self._noted:
            return
        self._noted.add(saying.id)
        self.clause_replaced(saying.reply.replaced)
        if saying.answers is not None and saying.answers.level in HELP_NAMED:
            self.helped(saying.answers.level)

    async def consent(self, purpose: str, *, granted: bool) -> int:
        """Gives a consent, or takes it back; returns how many rows that erased."""
        held = purpose in self.consents
        try:
            receipt = await self._keeper.change(purpose, granted, datetime.now(UTC))
        finally:
            # It is the person's word, whatever becomes of the rows.
            if not (granted and held):
                self._audit(CONSENT_GIVEN if granted else CONSENT_TAKEN_BACK)
        if receipt.erased:
            self._audit(ERASED)
        return sum(receipt.erased.values())

    async def forget_span(self, begin: datetime | None, end: datetime | None) -> pb.ErasureReceipt:
        """Erases a span of the person's talks; None: from the beginning, or until now."""
        await self._recorder.flush()
        receipt = await self._keeper.forget_span(begin or ALWAYS, end or datetime.now(UTC))
        self._audit(ERASED)
        return _receipt(receipt)

    async def forget_person(self) -> pb.ErasureReceipt:
        """Erases the person."""
        receipt = await self._keeper.forget_person()
        self._audit(ERASED)
        return _receipt(receipt)

    async def close(self, longest_words: str, risk_level: str = "none") -> None:
        """Writes the rest and ends the session. What fails is logged: nobody waits for it."""
        summary = longest_words[:SUMMARY_CHARACTERS]
        try:
            await self._recorder.flush()
            if self._disclosed_at is not None:
                await self._keeper.disclosed(self._disclosed_at)
            await self._keeper.close(datetime.now(UTC), summary, risk_level)
        except StoreError as error:
            log.error("the end of a session was not written: %s", error)

    def _audit(self, code: str, level: str = "none") -> None:
        self._recorder.audit(code, level, datetime.now(UTC))

    async def _saved(self, ids: frozenset[UUID]) -> None:
        for turn in sorted({self._turn_of[one] for one in ids if one in self._turn_of}):
            await self._outbox.put(turn, turn_saved=pb.TurnSaved())

    async def _failing(self) -> None:
        keeps = self._keeper.keeps(MEMORY) or self._keeper.keeps(EMOTION_LOG)
        if keeps:
            await self._outbox.notice(
                self._newest_turn, "STORE_FAILED", "The database is away; rows wait for it."
            )


def _receipt(receipt: Receipt) -> pb.ErasureReceipt:
    rest = {name: count for name, count in receipt.after.items() if count}
    remains = ", ".join(f"{count} {name}" for name, count in rest.items())
    sentence = f"What remains was not part of what was to be erased: {remains}." if remains else ""
    return pb.ErasureReceipt(erased_rows=sum(receipt.erased.values()), remains=sentence)
