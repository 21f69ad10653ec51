"""Small talks that go word for word: consent, forgetting, age, a plan, an exercise; pure.

A script takes the person's words and gives what to say, and what is to be done before that. It
does no I/O, and knows neither the store nor the contract; danger always comes before it.
"""

from dataclasses import dataclass, field
from typing import Protocol

from server.safety import HelpLines

STEPS = (
    "How I notice that it gets worse",
    "What I can do by myself",
    "People and places that take my mind off it",
    "Whom I can ask for help",
    "Professionals and help lines",
    "How I keep what could hurt me out of reach",
)
"""The steps of a safety plan, after Stanley and Brown (2012), Cognitive and Behavioral Practice
19(2), 256-264, in our own words."""

ROWS = "{rows}"
"""In what is said, the place of what was erased: "I erased {rows}"."""


@dataclass(frozen=True)
class Plan:
    """A safety plan in the person's words: one text for each of STEPS, "" where left out."""

    texts: tuple[str, ...] = ("",) * len(STEPS)

    @property
    def contact(self) -> str:
        """Whom the person would ask for help: the companion suggests them and never calls."""
        return self.texts[3]

    def __bool__(self) -> bool:
        return any(self.texts)


@dataclass(frozen=True)
class Consents:
    """The wish to give consents, or to take them back; by the names of `tadbot-pi --consent`."""

    granted: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Erase:
    """The wish that something is erased. newest_s: what was said in the last so many seconds;
    None: everything that is kept of the person."""

    newest_s: float | None = None


@dataclass(frozen=True)
class Age:
    """The person said whether they are a minor."""

    minor: bool


@dataclass(frozen=True)
class Keep:
    """The wish that a plan is kept in the place of the one before; an empty one erases it."""

    plan: Plan


@dataclass(frozen=True)
class Stop:
    """The wish to stop: nothing more is said until the person speaks again."""


Wish = Consents | Erase | Age | Keep | Stop


@dataclass(frozen=True)
class Line:
    """What a script says next."""

    say: str
    """`{rows}` in it stands for how much its wish erased; see `told`."""
    wish: Wish | None = None
    """What is to be done before it is said."""
    failed: str = "I could not do that just now, I am sorry. Please ask me again later."
    """Said instead where the wish cannot be fulfilled."""
    waits: bool = False
    """Whether the script goes on with the person's next words."""
    discloses: bool = False
    """Whether it says that this is a machine and not a therapist."""
    behind: bool = False
    """Whether the words are first answered as any others, and this is said behind the answer. `say`
    may be "" then: only the wish counts."""

    def told(self, rows: int = 0) -> str:
        """Gives what to say once the wish is done. rows: how many it erased."""
        counted = {0: "nothing, as nothing was kept", 1: "one entry"}
        return self.say.replace(ROWS, counted.get(rows, f"{rows} entries"))


@dataclass(frozen=True)
class Now:
    """What a script may know of the moment."""

    level: str = "none"
    """How near danger is in this session: one of `server.safety.LEVELS`."""
    consents: frozenset[str] = frozenset()
    """What is consented to, by the names of `tadbot-pi --consent`."""
    emotions: bool = True
    """Whether this server recognises emotions at all."""
    minor: bool | None = None
    """Whether the person said that they are a minor; None: not known."""
    unsafe_at_home: bool = False
    """Whether somebody near the person was the danger in this session."""
    plan: Plan = field(default_factory=Plan)
    lines: HelpLines | None = None


class Script(Protocol):
    """One small talk. A new one is made for each session."""

    def begin(self, words: str, now: Now) -> Line | None:
        """Gives the first line if these words ask for this script, else None.

        words: as the recogniser wrote them; see `server.safety.spelling.normalise`.
        """
        ...

    def go_on(self, words: str, now: Now) -> Line | None:
        """Gives the next line after one that `waits`; None: the words are about something else,
        the script has given up, and they are answered as any others."""
        ...
