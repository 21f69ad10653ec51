"""One exercise for a moment of panic: the five senses, counted down; pure.

It knows nothing of breathing that was not asked for, and judges no answer.
"""

import re

from server.scripts import Line, Now
from server.scripts.words import ASK, WE, any_of, asks, plain, says

STEPS = (
    "Breathe out slowly, and tell me five things that you can see.",
    "Good, now four things that you can touch.",
    "Slowly on: three things that you can hear.",
    "Now two things that you can smell.",
    "And one thing that you can taste, or one slow breath.",
)
END = "You did that well, and I am here. How is it now?"
STOPPED = "All right, we stop here. What would help you now?"
TOLD_FROM = 40
"""Words from which somebody tells something, and does not count things."""
_EXERCISE = any_of(
    r"grounding|some (?:grounding|breathing)",
    r"(?:grounding|breathing|calming|relaxation|five senses) (?:exercises?|technique)",
    r"(?:5 4 3 2 1|five four three two one)(?: exercise)?",
)
_CALM = any_of(
    r"calm (?:down|myself)|relax|breathe|ground myself|settle(?: down)?|slow down",
    r"get through this(?: panic(?: attack)?)?|with (?:this|my|the) panic(?: attack)?",
)
_PANIC = r"(?:i(?:'m| am) (?:panicking|having a panic attack))"
_TO_BEGIN = re.compile(
    any_of(
        rf"(?:{_PANIC} )?(?:{ASK}|{WE})help me(?: to)? {_CALM}",
        rf"(?:{WE}|{ASK}|i (?:want|need|would like) )(?:(?:do|try|start|begin|make|go through) )?"
        rf"(?:(?:a|an|the|that|another|one) )?{_EXERCISE}(?: with me| together)?",
        rf"{ASK}(?:calm me down|ground me|breathe with me)|{WE}breathe together",
        r"i(?:'m| am) having a panic attack(?: help(?: me)?)?",
        r"i need help (?:to calm down|calming down|to breathe|breathing)",
    )
)
_NO_USE = re.compile(
    r"\b(?:(?:this|it)(?:'s| is)?(?: is)? (?:not|isn't|doesn't|does not) (?:help|helping|work"
    r"|working)|i can't do this|this is (?:stupid|silly|pointless))\b"
)


class Grounding:
    """Leads through the five senses; whatever is said goes on to the next."""

    def __init__(self) -> None:
        self._step = 0

    def begin(self, words: str, now: Now) -> Line | None:
        """Begins where somebody asks for it."""
        if not asks(_TO_BEGIN, words):
            return None
        self._step = 0
        return Line(STEPS[0], waits=True)

    def go_on(self, words: str, now: Now) -> Line | None:
        """Takes any words for an answer, but a story is listened to."""
        if says("stop", words) or _NO_USE.search(plain(words)):
            return Line(STOPPED)
        if len(plain(words).split()) > TOLD_FROM:
            return None
        if says("again", words):
            return Line(STEPS[self._step], waits=True)
        self._step += 1
        if self._step == len(STEPS):
            return Line(END)
        return Line(STEPS[self._step], waits=True)
