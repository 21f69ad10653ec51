"""Goodbye and silence, whenever they are wanted; nobody is held back."""

import re

from server.safety import HelpLines
from server.safety.help_lines import ANYWHERE
from server.scripts import Line, Now, Stop
from server.scripts.words import ASK, any_of, core, pieces

GOODBYE = "Goodbye, and take good care of yourself."
GOOD_NIGHT = "Good night, and sleep well."
ENOUGH = "Of course, that is enough for today; take good care of yourself."
QUIET = "Okay."
_WITH = any_of(
    r"for (?:listening|today|talking|everything|being here|the talk)(?: \w+){0,4}",
    r"for your (?:time|help|patience)(?: \w+){0,4}",
    r"(?:i'm|i am) (?:\w+ )?(?:sleepy|getting up early)|it's (?:\w+ )?late",
    r"(?:that|this|it) (?:really )?helped(?: \w+){0,4}|i feel (?:\w+ )?better(?: \w+)?",
    r"(?:that|this|it) was (?:\w+ )?(?:good|nice|helpful|lovely)(?: \w+){0,4}",
)
"""What else may be said with a goodbye; beside anything else it is no mere end of a talk."""
_SEE_YOU = any_of(
    r"see you(?: (?:tomorrow|later|soon|again|next time))?|see ya|until (?:tomorrow|next time)",
    r"(?:let's |i'll |i will )?(?:talk|speak)(?: to you)? (?:tomorrow|later|soon)",
    r"have a (?:good|nice) (?:day|evening|night)",
)
_MUST = any_of(
    r"i (?:really )?(?:have to|need to|must|should)",
    r"i(?:'ve| have)? (?:got to|gotta)|gotta|i(?:'d| had) better",
)
_TODAY = r"(?:today|now|tonight|this evening)"
_NIGHT = any_of(
    rf"(?:good ?night|night night|sleep well)(?: (?:and|then|so|bye|{_SEE_YOU}))*",
    rf"i(?:'m| am) (?:going to|off to) bed|(?:{_MUST}|i'll) go to (?:bed|sleep)",
)
_BYE = any_of(
    rf"(?:good ?bye|bye|bye ?bye|{_SEE_YOU})"
    rf"(?: (?:and|for now|for today|bye|goodbye|{_SEE_YOU}))*",
    rf"{_MUST} (?:go|run|get going|hang up)(?: (?:to work|soon|bye|goodbye))*",
)
_ENOUGH = any_of(
    rf"(?:that's|that is|that was|this is) (?:enough|all|it) for {_TODAY}|enough for {_TODAY}",
    rf"i(?:'m| am) done for {_TODAY}",
    rf"(?:let's|let us|can we|i want to|i'd like to) (?:stop|finish|leave it) "
    rf"(?:here|there|for {_TODAY})(?: for {_TODAY})?",
    r"(?:let's|let us|can we|i want to|i'd like to) (?:stop|finish|end) "
    rf"(?:talking|(?:the|this|our) (?:talk|conversation|call|chat))(?: for {_TODAY})?",
    r"i (?:don't|do not) want to talk(?: to you)?(?: anymore)?"
    r"(?: (?:today|tonight|for now|right now))?",
)
_BESIDE = re.compile(_WITH)
_FAREWELLS = tuple(
    (re.compile(rf"(?:{_WITH} )?{farewell}"), answer)
    for farewell, answer in ((_NIGHT, GOOD_NIGHT), (_BYE, GOODBYE), (_ENOUGH, ENOUGH))
)
_SILENCE = any_of(
    r"stop talking|be quiet|be silent|quiet|shut up|silence|hush|shush|shh+",
    r"don't talk|don't say anything|say nothing",
)
_QUIET = re.compile(rf"{ASK}{_SILENCE}(?: (?:and|stop|please|now|{_SILENCE}))*")
_STOP = re.compile(
    rf"{ASK}(?:stop|stop it|stop that|that's enough|enough)(?: (?:stop|it|now|please))*"
)


class Goodbye:
    """Lets the person go, in one sentence."""

    def begin(self, words: str, now: Now) -> Line | None:
        """Answers a farewell, or a wish for silence, that is all of the words."""
        if wants_silence(words) or _STOP.fullmatch(core(words)):
            return Line(QUIET, Stop())
        said = _farewell(words)
        return Line(self._with_help(now) or said, Stop()) if said else None

    def go_on(self, words: str, now: Now) -> Line | None:
        """Has nothing more to say."""
        return None

    def _with_help(self, now: Now) -> str:
        lines: HelpLines = now.lines or ANYWHERE
        if now.level == "imminent":
            return f"Take care of yourself, and please call {lines.emergency_spoken} now."
        if now.level == "high":
            return f"Take care of yourself; you can always call {lines.line_spoken}."
        return ""


def _farewell(words: str) -> str:
    """Gives the answer to a farewell; "" if there is none, or something else beside it."""
    answer = ""
    for one in pieces(words):
        found = next((line for pattern, line in _FAREWELLS if pattern.fullmatch(one)), "")
        if not found and not _BESIDE.fullmatch(one):
            return ""
        answer = answer or found
    return answer


def wants_silence(words: str) -> bool:
    """Whether the words want no more sound, and not only the end of what is going on."""
    return bool(_QUIET.fullmatch(core(words)))
