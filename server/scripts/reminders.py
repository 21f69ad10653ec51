"""What a person is told again behind an answer, as time goes by: what speaks, a break, people.

It decides by the times that it is given, and knows neither a clock nor what was answered.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum, auto

from server.safety import DISCLOSURE, LEVELS

DISCLOSE_EVERY = timedelta(hours=20)
"""Somewhat under a day, so that a daily talk at the same hour is told each day."""
DISCLOSE_AGAIN_S = 3 * 3600.0
"""Of talk, after which it is said again."""
BREAK_EVERY_S = 3 * 3600.0
"""Of talk, for a minor."""
LONG_TALK_S = 3600.0
"""Of talk, after which other people are thought of."""
MANY_DAYS, OF_DAYS = 12, 14
"""Days with a talk that are many, of the last so many."""
SETTLED_S = 600.0
"""Of talk, before which nobody is sent to other people."""
NIGHT_FROM, NIGHT_TO = time(22), time(6)
"""When a minor had better sleep."""


class Kind(Enum):
    """What a reminder is about."""

    DISCLOSURE = auto()
    BREAK = auto()
    REST = auto()
    PEOPLE = auto()


@dataclass(frozen=True)
class Reminder:
    """A sentence to say behind an answer."""

    kind: Kind
    say: str
    discloses: bool = False
    """Whether it says that this is a machine and not a therapist."""


@dataclass(frozen=True)
class Moment:
    """What the reminders may know of the moment."""

    now: datetime
    """In the world; aware."""
    talked_s: float
    """Since this talk began."""
    disclosed_at: datetime | None = None
    """When the person last heard that this is a machine; aware. None: never, or unknown."""
    local: datetime | None = None
    """The time where the person is; None: unknown."""
    minor: bool | None = None
    level: str = "none"
    """One of `server.safety.LEVELS`."""
    days_talked: int | None = None
    """On how many of the last OF_DAYS days there was a talk, today included; None: unknown."""


_DISCLOSURE = Reminder(Kind.DISCLOSURE, f"So that you know: {DISCLOSURE}", discloses=True)
_BREAK = Reminder(
    Kind.BREAK,
    f"We have talked for long, and a little break would do you good. {DISCLOSURE}",
    discloses=True,
)
_REST = Reminder(Kind.REST, "It is late. Sleep may do you good, and you can talk to me any time.")
_LONG_TALK = Reminder(
    Kind.PEOPLE, "We have talked for a good while. Is there someone you would like to tell as well?"
)
_MANY_DAYS = Reminder(
    Kind.PEOPLE,
    "You talk to me nearly every day. Is there someone near you who should hear some of it too?",
)


class Reminders:
    """The reminders of one session."""

    def __init__(self) -> None:
        self._breaks = 0
        """Stretches of BREAK_EVERY_S whose break was spoken of."""
        self._told: set[Kind] = set()

    def choose(self, moment: Moment) -> Reminder | None:
        """Gives the one that is to be said now, if any; call `told` once it is said.

        While danger is near, nothing but the truth about what is speaking.
        """
        rank = LEVELS.index(moment.level)
        calm = rank < LEVELS.index("high")
        long = moment.talked_s >= BREAK_EVERY_S * (self._breaks + 1)
        if calm and moment.minor and long:
            return _BREAK
        if due(moment.now, moment.disclosed_at, moment.talked_s):
            return _DISCLOSURE
        if not calm:
            return None
        if moment.minor and Kind.REST not in self._told and _is_night(moment.local):
            return _REST
        if rank or Kind.PEOPLE in self._told:
            return None
        if moment.talked_s >= LONG_TALK_S:
            return _LONG_TALK
        often = moment.days_talked is not None and moment.days_talked >= MANY_DAYS
        return _MANY_DAYS if often and moment.talked_s >= SETTLED_S else None

    def told(self, reminder: Reminder, moment: Moment) -> None:
        """Takes note that it was said, so that it is not said again too soon."""
        self._told.add(reminder.kind)
        if reminder.kind is Kind.BREAK:
            self._breaks = int(moment.talked_s // BREAK_EVERY_S)


def due(now: datetime, disclosed_at: datetime | None, talked_s: float = 0.0) -> bool:
    """Whether the person must hear that this is a machine: at first, each day, and in a long talk.

    now, disclosed_at: aware; None: never, or unknown. talked_s: since this talk began.
    """
    if disclosed_at is None or now - disclosed_at >= DISCLOSE_EVERY:
        return True
    return min(talked_s, (now - disclosed_at).total_seconds()) >= DISCLOSE_AGAIN_S


def _is_night(local: datetime | None) -> bool:
    return local is not None and not NIGHT_TO <= local.time() < NIGHT_FROM
