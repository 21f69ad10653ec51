"""Goodbye and silence, whenever they are wanted; nobody is held back."""

import re

from server.safety import HelpLines
from server.safety.help_lines import ANYWHERE
from server.scripts import Line, Now, Stop
from server.scripts.words import ASK, core, pieces

GOODBYE = "Goodbye, and take good care of yourself."
GOOD_NIGHT = "Good night, and sleep well."
ENOUGH = "Of course, that is enough for today; take good care of yourself."
QUIET = "Okay."
_WITH = (
    r"(?:for (?:listening|today|talking|everything|being here|the talk|your (?:time|help))"
    r"(?: \w+){0,4}|(?:i'm|i am) (?:\w+ )?(?:sleepy|getting up early)|it's (?:\w+ )?late(?: now)?"
    r"|(?:that|this|it) (?:really )?helped(?: \w+){0,4}|i feel (?:\w+ )?better(?: \w+)?"
    r"|(?:that|this|it) was (?:\w+ )?(?:good|nice|helpful|lovely)(?: \w+){0,4})"
)
"""What else may be said with a goodbye; beside anything else it is no mere end of a talk."""
_NIGHT = (
    r"(?:good ?night|night night|sleep well)(?: (?:and|then|so|bye|see you (?:tomorrow|later)"
    r"|talk (?:to you )?(?:tomorrow|later)))*"
    r"|i(?:'m| am) (?:going to|off to) bed"
    r"|i(?:'ve got to| have to| need to| should|'ll) go to (?:bed|sleep)"
)
_BYE = (
    r"(?:good ?bye|bye|bye ?bye|see you(?: (?:tomorrow|later|soon|again|next time))?|see ya"
    r"|until (?:tomorrow|next time)|(?:i(?:'ll| will) )?(?:talk|speak) to you (?:tomorrow|later"
    r"|soon)"
    r"|talk (?:tomorrow|later|soon)|have a (?:good|nice) (?:day|evening|night))"
    r"(?: (?:and|for now|for today|bye|goodbye|see you(?: tomorrow| later)?|until tomorrow"
    r"|have a (?:good|nice) (?:day|evening|night)))*"
    r"|(?:i (?:really )?(?:have to|need to|must|should)|i(?:'ve| have)? (?:got to|gotta)|gotta"
    r"|i(?:'d| had) better) (?:go|run|get going|hang up)(?: (?:to work|soon|bye|goodbye))*"
)
_ENOUGH = (
    r"(?:that's|that is|that was|this is) (?:enough|all|it) for (?:today|now|tonight|this evening)"
    r"|enough for (?:today|now|tonight)|(?:let's|let us|can we|i want to|i'd like to) "
    r"(?:(?:stop|finish|leave it) (?:here|there|for (?:today|now|tonight))"
    r"|(?:stop|finish|end) (?:talking|(?:the|this|our) (?:talk|conversation|call|chat)))"
    r"(?: for (?:today|now|tonight))?"
    r"|i (?:don't|do not) want to talk(?: to you)?(?: anymore)?"
    r"(?: (?:today|tonight|for now|right now))?"
)
_BESIDE = re.compile(_WITH)
_FAREWELLS = tuple(
    (re.compile(rf"(?:{_WITH} )?(?:{farewell})"), answer)
    for farewell, answer in ((_NIGHT, GOOD_NIGHT), (_BYE, GOODBYE), (_ENOUGH, ENOUGH))
)
_QUIET = re.compile(
    rf"{ASK}(?:stop talking|be quiet|be silent|quiet|shut up|silence|hush|shush|shh+|don't talk"
    r"|don't say anything|say nothing)(?: (?:and |be quiet|stop|shut up|now|please))*"
)
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
