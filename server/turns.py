"""What one talk knows of its person and of what was said so far; records, no behaviour."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from server.engines import SAMPLE_RATE_HERTZ, Score
from server.hearing import Utterance
from server.prompt import Exchange
from server.safety import Assessment
from server.speaking import Saying
from server.store import Turn

NO_DANGER = Assessment()


@dataclass
class Clock:
    """Time inside a talk: the count of samples heard.

    shift: what the client's sample numbers are ahead of the hearing's.
    """

    started_at: datetime
    shift: int = 0

    def offset(self, sample: int) -> timedelta:
        """Gives the time of a sample since the talk began."""
        return timedelta(seconds=(sample + self.shift) / SAMPLE_RATE_HERTZ)

    def when(self, sample: int) -> datetime:
        """Gives the time of a sample in the world."""
        return self.started_at + self.offset(sample)


@dataclass(frozen=True)
class Guest:
    """Who talks, as far as the server knows."""

    session_id: UUID
    started_at: datetime
    language: str = ""
    """BCP 47; "" unknown."""
    pace: str = "normal"
    """How patient to be: a name of `server.patience.PACES`."""
    may_see: bool = False
    disclosed_at: datetime | None = None
    """When they last heard that this is a machine; None: never, or unknown."""
    carried_risk: str = "none"
    """How near danger was when they last talked; "none" without the consent memory."""
    minor: bool | None = None
    """Whether they said that they are a minor; None: not known."""
    talk_days: int = 0
    """On how many of the last days they talked, as far as that is kept."""
    help_lines_version: str = ""
    """Of the help that their client keeps; "" for none."""
    time_zone: str = ""
    """IANA name; "" unknown."""
    resumed: tuple[Turn, ...] = ()
    """Turns of the session that is taken up again."""
    sample_count: int = 0
    """Samples that the client had sent before it was taken up again."""


@dataclass
class Said:
    """What the person said in one turn, and the reply to it once there is one."""

    turn: int
    words: str
    start: int = 0
    """Sample at which it begins."""
    row_id: UUID = field(default_factory=uuid4)
    reply_id: UUID = field(default_factory=uuid4)
    """Of its rows; those of a later revision of the turn take their place."""
    feeling: Score | None = None
    """What the face showed while it was said; None where no face was seen."""
    assessment: Assessment = NO_DANGER
    utterance: Utterance | None = None
    """The newest part of it; None while that is only foreseen."""
    revision: int = 0
    """Revision of its turn under which it was told."""
    stages: dict[str, float] = field(default_factory=dict)
    """Milliseconds by field of `TurnLatency`."""
    saying: Saying | None = None
    shown: str = ""
    """The last message of its prompt, notes included; "" where no model was asked."""
    history: list[Exchange] = field(default_factory=list)
    """The talk before it, as it was when its answer was begun ahead."""

    def with_more(self, words: str) -> "Said":
        """Makes the next revision of the turn: the person went on with these words."""
        joined = f"{self.words.rstrip('.…')} {words}".strip()
        return Said(self.turn, joined, self.start, self.row_id, self.reply_id)

    @property
    def exchange(self) -> Exchange:
        """The turn as the language model sees it later: only what was heard.

        The person's side is what the model saw then, so that it finds it in its cache.
        """
        person = self.shown or self.words
        if self.saying is None:
            return Exchange(person, "")
        whole = not self.saying.interrupted and not self.saying.settled
        return Exchange(person, self.saying.reply.text if whole else self.saying.heard)


def exchanges(turns: Iterable[Turn]) -> list[Exchange]:
    """Pairs the two sides of kept turns; a turn without a person's side is left out."""
    pairs: dict[int, dict[str, str]] = {}
    for one in turns:
        pairs.setdefault(one.turn, {})[one.speaker] = one.text if one.heard is None else one.heard
    return [
        Exchange(pair["person"], pair.get("tadbot", ""))
        for _, pair in sorted(pairs.items())
        if "person" in pair
    ]
