"""A silent way out: one word, and the talk is about the weather until the person says otherwise.

It is for who is not alone with somebody they fear. It does not know who that is.
"""

import re

from server.scripts import Line, Now
from server.scripts.words import core

_COVER = re.compile(
    r"(?:(?:um|uh|so|oh|and|well) )*(?:(?:the|what about the|how(?:'s| is) the|what(?:'s| is) the"
    r"|about the|nice|let's talk about the) )?weather(?: today| tomorrow| like(?: today)?| now)?"
)
_SAFE_AGAIN = re.compile(
    r"\b(?:(?:i'm|i am|we're|we are) (?:alone|safe)(?: again| now)?"
    r"|(?:he|she|they)(?:'s| is|'re| are|'ve| has| have)? (?:gone|left|away|out)(?: again| now)?"
    r"|coast is clear|safe (?:again|now)"
    r"|go on now)\b"
)
_STILL_THERE = re.compile(
    r"\b(?:not (?:alone|safe|gone)|isn't gone|(?:alone|safe) yet|still here)\b"
)
_SMALL_TALK = (
    "It looks like a mild day. Is it dry where you are?",
    "There may be some wind later. A coat will do.",
    "It should stay about the same tomorrow.",
    "Autumn or spring, it is hard to plan around.",
)
BACK = "I am here. Is it safe for you to talk aloud?"


class Cover:
    """Talks of nothing but the weather while somebody else may listen."""

    def __init__(self) -> None:
        self._said = 0

    def begin(self, words: str, now: Now) -> Line | None:
        """Begins at the word alone, in a talk in which somebody at home was the danger."""
        if now.unsafe_at_home and _COVER.fullmatch(core(words)):
            return self._next()
        return None

    def go_on(self, words: str, now: Now) -> Line | None:
        """Goes on whatever is said, until the person says that they are alone."""
        text = core(words)
        if _SAFE_AGAIN.search(text) and not _STILL_THERE.search(text):
            return Line(BACK)
        return self._next()

    def _next(self) -> Line:
        self._said += 1
        return Line(_SMALL_TALK[(self._said - 1) % len(_SMALL_TALK)], waits=True)
