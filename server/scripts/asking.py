"""One question before something is done; it does not know what."""

import re
from dataclasses import dataclass

from server.safety import LEVELS
from server.scripts import Line, Now
from server.scripts.words import plain, says

LATER = "That can wait until you are safer; I will ask you again when things are calmer. I am here."
"""Said instead of a question that would end in erasing, while danger is near."""
UNDONE = "All right, I leave it as it is."
_KEEP = re.compile(r"\b(?:keep|save|remember) (?:it|that|them|this|everything)(?: all)?\b")
_ERASE = re.compile(r"\b(?:delete|erase|remove) (?:it|that|them|this|everything)(?: all)?\b")
_DENIED = re.compile(r"\b(?:not|don't|never)\b")


@dataclass(frozen=True)
class Question:
    """What is asked, and what follows a yes."""

    say: str
    done: Line
    erases: bool = False
    """Whether a yes erases something, so that it waits for calmer times."""


class Asking:
    """Asks once, and then does it or leaves it."""

    def __init__(self) -> None:
        self._asked: Question | None = None
        self._put_off: Question | None = None

    def ask(self, question: Question, now: Now) -> Line:
        """Asks, or says that it can wait."""
        if question.erases and LEVELS.index(now.level) >= LEVELS.index("high"):
            self._asked, self._put_off = None, question
            return Line(LATER)
        self._asked, self._put_off = question, None
        return Line(question.say, waits=True)

    def answer(self, words: str, now: Now) -> Line | None:
        """Follows a plain yes or no; None: the words are about something else."""
        if (question := self._asked) is None:
            return None
        said = _in_yes_and_no(words, question)
        if says("again", said):
            return self.ask(question, now)
        self._asked = None
        if says("yes", said):
            # Danger may have come near since it was asked.
            line = self.ask(question, now)
            return question.done if line.waits else line
        return Line(UNDONE) if says("no", said) else None

    def again(self, now: Now) -> Line | None:
        """Asks what was put off, once things are calmer, behind an answer."""
        if self._put_off is None or not (line := self.ask(self._put_off, now)).waits:
            return None
        return Line(f"You asked me before. {line.say}", waits=True, behind=True)


def _in_yes_and_no(words: str, question: Question) -> str:
    """Takes "erase it" and "keep it" for the answer that they are to this question."""
    text = plain(words)
    if _DENIED.search(text):
        return text
    text = _ERASE.sub("yes" if question.erases else "no", text)
    return _KEEP.sub("no" if question.erases else "yes", text)
