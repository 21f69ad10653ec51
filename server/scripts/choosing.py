"""Which small talk answers, if any; it does not know what they say.

Danger comes before it: words in which danger was noticed are not given to it.
"""

import re
from copy import deepcopy
from dataclasses import dataclass, field, replace

from server.scripts import Line, Now, Script, Stop
from server.scripts.age import AskingAge
from server.scripts.consents import Consenting
from server.scripts.cover import Cover
from server.scripts.erasing import Erasing
from server.scripts.goodbye import Goodbye
from server.scripts.grounding import Grounding
from server.scripts.honesty import Honesty
from server.scripts.plan import Planning
from server.scripts.words import forget, plain, says

_SENTENCES = re.compile(r"(?<=[.!?]) ")


@dataclass
class _Talks:
    """One of each, and those that wait for an answer, the newest last, with what they asked."""

    cover: Cover = field(default_factory=Cover)
    goodbye: Goodbye = field(default_factory=Goodbye)
    consenting: Consenting = field(default_factory=Consenting)
    erasing: Erasing = field(default_factory=Erasing)
    honesty: Honesty = field(default_factory=Honesty)
    grounding: Grounding = field(default_factory=Grounding)
    planning: Planning = field(default_factory=Planning)
    age: AskingAge = field(default_factory=AskingAge)
    waiting: list[tuple[Script, str]] = field(default_factory=list)

    @property
    def first(self) -> tuple[Script, ...]:
        """Those that are heard even in the midst of a plan or an exercise, in their order."""
        return (self.cover, self.goodbye, self.consenting, self.erasing, self.honesty)

    @property
    def all(self) -> tuple[Script, ...]:
        """All, in the order in which they are asked; the one that interrupts nothing is last."""
        return (*self.first, self.grounding, self.planning, self.age)


class Scripts:
    """The small talks of one session."""

    def __init__(self) -> None:
        self._talks = _Talks()
        self._before: _Talks | None = None
        """As it was before the newest answer."""

    def answer(self, words: str, now: Now) -> Line | None:
        """Gives what a script says to these words; None: they are answered as any others."""
        self._before = deepcopy(self._talks)
        try:
            if not plain(words):
                return None
            return self._go_on(words, now) or self._begin(words, now) or self._again(now)
        finally:
            forget()

    @property
    def covered(self) -> bool:
        """Whether somebody else may be listening: nothing but the weather is spoken of."""
        waiting = self._talks.waiting
        return bool(waiting) and waiting[-1][0] is self._talks.cover

    @property
    def busy(self) -> bool:
        """Whether one waits for an answer."""
        return bool(self._talks.waiting)

    def ask_age(self) -> Line | None:
        """Asks for the age, once a session and where nothing else waits for an answer."""
        age = self._talks.age
        if age.asked or self._talks.waiting:
            return None
        return self._take(age, age.ask())

    def drop(self) -> None:
        """Gives up what waits for an answer: danger came between."""
        self._talks.waiting.clear()
        self._before = None

    def take_back(self) -> None:
        """Undoes the newest answer: the person went on, and the words come again with more."""
        if self._before is not None:
            self._talks, self._before = self._before, None

    def _go_on(self, words: str, now: Now) -> Line | None:
        talks = self._talks
        while talks.waiting:
            script, _ = talks.waiting[-1]
            takes_any = script in (talks.planning, talks.grounding)
            if takes_any and (line := self._interrupt(words, now)) is not None:
                return line
            talks.waiting.pop()
            if (line := script.go_on(words, now)) is not None:
                return self._take(script, line)
        return None

    def _interrupt(self, words: str, now: Now) -> Line | None:
        """Hears what is for all times, in the midst of what takes any words for an answer."""
        if says("stop", words):
            return None
        for script in self._talks.first:
            if (line := script.begin(words, now)) is not None:
                return self._take(script, line)
        return None

    def _begin(self, words: str, now: Now) -> Line | None:
        for script in self._talks.all:
            if (line := script.begin(words, now)) is not None:
                return self._take(script, line)
        return None

    def _again(self, now: Now) -> Line | None:
        talks = self._talks
        for script in (talks.consenting, talks.erasing, talks.planning):
            if (line := script.again(now)) is not None:
                return self._take(script, line)
        return None

    def _take(self, script: Script, line: Line) -> Line:
        """Remembers a question; behind a line without one it puts the one that still waits."""
        waiting = self._talks.waiting
        if isinstance(line.wish, Stop):
            waiting.clear()
        elif line.waits:
            waiting.append((script, _SENTENCES.split(line.say)[-1]))
        elif waiting:
            asked = waiting[-1][1]
            said, failed = f"{line.say} {asked}", f"{line.failed} {asked}"
            return replace(line, say=said, failed=failed, waits=True)
        return line
