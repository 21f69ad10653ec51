"""How old the person is, as far as they say: asked once, or told in passing; no proof is wanted.

It does not know what is done otherwise for a minor.
"""

import re

from server.scripts import Age, Line, Now
from server.scripts.telling_age import ADULT_FROM, NUMBER, believed, number, told_age
from server.scripts.words import any_of, core, plain, says

QUESTION = "May I ask: are you eighteen or older?"
CHILDREN = (
    "You may talk about everything here, and there is also a help line just for young people."
)
THANKS = "Thank you for telling me."
NOT_TOLD = "That is fine, you need not tell me."
GO_ON = "Please go on."
AGAIN = "Are you eighteen or older?"
WHY = "Young people have a help line of their own, and I remind them of breaks."
_OLDER = r"(?:i'm )?(?:much |way |a lot |far )?older"
_YOUNGER = r"(?:i'm )?(?:a bit |a little |much )?younger"
_YES = any_of(
    r"yes|yeah|yep|yup|aye|i am|of course|certainly|absolutely|definitely|correct|sure am",
    rf"{_OLDER}|long ago",
)
_NO = any_of(
    r"no|nope|nah|i'm not|i am not|not yet|not quite|almost|nearly|sorry",
    rf"{_YOUNGER}|(?:i'm )?(?:still |just |only )*a (?:child|kid)",
)
_NUMBER = re.compile(
    rf"(?:(?:only|just|actually|about|around) )*(?P<n>{NUMBER})(?: years? old| and a half| now)*"
)
_SAY = r"(?:say|tell|answer)(?: (?:you|that))?"
_REFUSAL = any_of(
    rf"i(?:'d| would) (?:rather|prefer) (?:not|to not)(?: to)?(?: {_SAY})?",
    rf"i don't want to {_SAY}|i'm not going to {_SAY}|i won't {_SAY}",
    r"i'm not (?:telling|saying)(?: you)?|(?:rather|prefer) not(?: to)?(?: say)?",
    r"(?:(?:it's|that's) )?none of your (?:business|concern)",
    r"(?:(?:that's|that is|it's|it is) )?(?:private|personal)|(?:it|that|my age) doesn't matter",
    r"you (?:may|can) not(?: ask)?|don't ask(?: me)?(?: that)?|pass|skip|next(?: question)?",
)
_REFUSES = re.compile(rf"(?:(?:no|sorry|well) )*{_REFUSAL}(?: (?:sorry|thanks|thank you|please))*")
_ASKS_WHY = re.compile(
    any_of(
        r"why(?: (?:do you )?(?:ask|want to know|need to know)(?: that)?)?|what for",
        r"why (?:is that important|does (?:that|it) matter)|what does (?:that|it) matter",
    )
)
_MAY_ASK = r"(?:sure|ok|okay|fine|all right|alright|go ahead|you (?:may|can)(?: ask)?)"
_ALONE = 6
"""Words up to which an answer is nothing else besides."""


class AskingAge:
    """Asks once whether the person is an adult, and hears it where they say it by themselves."""

    def __init__(self) -> None:
        self.asked = False
        """Whether the question was put in this session: it is not put again."""
        self._repeated = False

    def ask(self) -> Line:
        """Puts the question, for whoever finds that it is time."""
        self.asked = True
        return Line(QUESTION, waits=True)

    def begin(self, words: str, now: Now) -> Line | None:
        """Takes an age that is told by the way; what else was said is answered first."""
        minor = told_age(words)
        return None if minor is None or minor == now.minor else _behind(minor, now)

    def go_on(self, words: str, now: Now) -> Line | None:
        """Follows any answer; a refusal is one."""
        text = plain(words)
        why = bool(_ASKS_WHY.fullmatch(core(words)))
        if not self._repeated and (why or says("again", words) or _made_of(_MAY_ASK, text)):
            self._repeated = True
            return Line(f"{WHY} {AGAIN}" if why else AGAIN, waits=True)
        if _REFUSES.fullmatch(text):
            return Line(NOT_TOLD)
        minor = _answered(words)
        if minor is None or len(text.split()) > _ALONE:
            return None if minor is None else _behind(minor, now)
        say = f"{THANKS} {_children(now) if minor else GO_ON}"
        return Line(say, Age(minor), failed=say)


def _answered(words: str) -> bool | None:
    """Whether an answer to the question says that they are a minor; None: it says nothing of it."""
    if (minor := told_age(words)) is not None:
        return minor
    if match := _NUMBER.fullmatch(core(words)):
        age = number(match["n"])
        return age < ADULT_FROM if believed(age) else None
    text = plain(words)
    return False if _made_of(_YES, text) else True if _made_of(_NO, text) else None


def _made_of(answer: str, text: str) -> bool:
    """Whether plain words are an answer, once or more, and nothing else."""
    return bool(re.fullmatch(rf"{answer}(?: {answer})*", text))


def _children(now: Now) -> str:
    if now.lines is None or not now.lines.children_number:
        return CHILDREN
    line = now.lines.for_a_minor.line_spoken
    return f"You may talk about everything here; just for young people there is also {line}."


def _behind(minor: bool, now: Now) -> Line:
    say = _children(now) if minor else ""
    return Line(say, Age(minor), failed=say, behind=True)
