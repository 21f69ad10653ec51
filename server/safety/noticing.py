"""Notices danger in an utterance: patterns, a small classifier, and what was said before.

Neither decides alone, and the language model has no say. Where the classifier or the vector is
missing, the rest still judges. Nobody with clinical training has reviewed it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.errors import ConfigError
from server.safety import patterns
from server.safety.classifier import DIMENSIONS, Guess, classifier
from server.safety.reading import is_whole, texts
from server.safety.spelling import normalise

LEVELS = ("none", "concern", "high", "imminent")
"""From nothing to do to the emergency number first."""
HARMLESS_BELOW = 0.4
"""Probability of danger, by the meaning, below which what a pattern finds is taken for an idiom."""
ANSWER_WORDS = 9
"""Longest answer to a question that is judged by the question."""


@dataclass(frozen=True)
class Assessment:
    """How near danger is, and the stable name of the rule that decided ("" for none)."""

    level: str = "none"
    reason: str = ""


_YES = re.compile(
    r"^(?:(?:um|uh|well|oh|i mean|honestly|god) )*(?:yes|yeah|yep|yup|yea|ya|aye|i am"
    r"|i have|i do|i did|i was|maybe|might be|sometimes|kind of|kinda|sort of"
    r"|a little|a bit|i think so|i guess|i suppose|probably|possibly|most days"
    r"|every (?:day|night|single)|all the time|often|lately"
    r"|what if|so what|who told you|how did you|not (?:yet|tonight|today|right now)"
    r"|haven't decided|more or less|pretty much|of course i|definitely|always"
    r"|once or twice|on and off)\b"
)
_NO = re.compile(
    r"^(?:(?:um|uh|well|oh|i mean|honestly|god|what|jesus|christ|lord) )*(?:no|nope|nah"
    r"|never|not at all|of course not|absolutely not|nothing like that|god no|i'm not"
    r"|i am not|i haven't|i don't|i would never|not me|not like that)\b"
)
_ASKED = re.compile(
    r"\b(?:(?:end|ending|take|taking) your(?: own)? life|(?:end|ending) it(?: all)?|suicid\w*"
    r"|(?:kill|killing|hurt|hurting|harm|harming|cut|cutting) yourself"
    r"|(?:want|wanting|wish|wishing|wanted) (?:to die|to be dead|you (?:were|was) dead)"
    r"|(?:not|n't) (?:want to )?(?:be|being|live|living) (?:alive|here|anymore)"
    r"|thoughts of (?:dying|death|suicide)"
    r"|(?:thinking|think|thought) (?:of|about) (?:dying|death|suicide|ending)"
    r"|not being alive|be dead)\b"
)
_ASKED_SAFE = re.compile(
    r"\b(?:are you|is it|do you feel|will you be|can you (?:stay|keep)) (?:\w+ )?safe\b"
    r"|\bkeep yourself safe\b"
)
_PROBED = re.compile(
    r"\b(?:do you mean|you mean|mean by|when you say|with you|hurting|frighten\w*|have you taken"
    r"|saved up|worried about you|able to speak|finished how|go where|who else|thinking of)\b"
)
_TAKEN_BACK = re.compile(
    r"\b(?:kidding|joking|a joke|just (?:a )?(?:tired|drama\w*|venting|talking|saying)"
    r"|forget (?:i|it|that|about)|never ?mind|didn't mean|ignore (?:me|that|what)"
    r"|it's nothing|doesn't matter|take (?:it|that) back|dramatic|exaggerat\w+"
    r"|overreact\w+|talk about something else|change the subject|(?:i'm|all|fine|feel"
    r"|am) (?:fine|good|okay|ok|better|alright|all right|grand)\b"
    r"|don't worry|don't (?:make a|write|tell|log)|pretend i|strike that|scratch that"
    r"|was the (?:drink|wine|beer|whisky)|rough (?:night|day|week)|stupid thing to say"
    r"|silly|didn't (?:say|happen)|let's (?:move|leave|drop)|drop it|past(?:ed)? now"
    r"|gone now)\b"
)
_MEANS = re.compile(
    r"\b(?:how (?:many|much|high|tall|deep|long|fast|far|strong|easy)|where (?:can|could"
    r"|do|would|is|are)|which|what(?:'s| is| are| time| kind| happens)?|how (?:do|does"
    r"|would|can|could)|is there|are there|do (?:you|they|the)|does (?:it|the|a)"
    r"|can (?:you|i|a))\b"
    r".{0,80}\b(?:pills?|tablets?|paracetamol|insulin|bridges?|guns?|rifles?|ammo|rope"
    r"|knot|knives|knife|blades?|razors?|roof|rooftop|floors?|storeys?|trains?|tracks"
    r"|platform|overdos\w+|poison|bleach|gas|fumes|exhaust|cliffs?|drown\w*|die|dying"
    r"|lethal|painless|hurt|river|lake|weir|balcon\w+|multi ?storey|medication|meds|dose"
    r"|sleeping)\b"
)
_BAD_NEWS = re.compile(
    r"\b(?:lost (?:my|the|everything)|laid off|fired|sacked|let me go|left me|leaving me"
    r"|divorce\w*|broke up|dumped|cheat\w*|evict\w*|bailiffs?|debts?|bankrupt|failed"
    r"|expelled|kicked out|diagnos\w+|cancer|terminal|died|dead|funeral|custody|court"
    r"|prison|can't (?:take|do|cope|go on|see)|hopeless|nothing left|over for me|it's over"
    r"|hate (?:my|myself|it)|alone|worthless|ashamed|ruined|pointless|no point|awful|numb"
    r"|cry\w*)\b"
)


def assess(
    text: str, context: Sequence[str] = (), vectors: NDArray[np.float32] | None = None
) -> Assessment:
    """Judges an utterance before anything else reads it.

    context: earlier lines, oldest first, each beginning with `U: ` (the person) or `A: `. vectors:
    the meaning of each of its `readings`, shape (n, 384), of length 1; None where there is no
    encoder. The gravest judgement wins; what is denied or long past counts only if the classifier
    says so as well.
    """
    words = normalise(text)
    if not words:
        return Assessment()
    guesses = _guesses(text, vectors)
    found = Assessment()
    for level, reason, denied in patterns.found(words):
        idiom = guesses and max(one.concern for one in guesses) < HARMLESS_BELOW
        if not denied and not idiom:
            found = _graver(found, Assessment(level, reason))
    for guess in guesses:
        if guess.level != "none":
            found = _graver(found, Assessment(guess.level, found.reason or guess.kind))
    return _graver(found, _in_context(words, context))


def readings(text: str, context: Sequence[str]) -> list[str]:
    """Gives the texts whose meaning `assess` judges, those of the words alone first.

    What was said before is read only where it may weigh: it takes three times as long.
    """
    return texts(text, context if _is_uneasy(context) else ())


def understands(model: str) -> bool:
    """Whether the vectors of an encoder may be given to `assess`."""
    return not what_is_missing(model)


def what_is_missing(model: str) -> str:
    """Says why the patterns must do without the classifier, with this encoder; "": they need not."""
    try:
        known = classifier().model
    except ConfigError as error:
        return str(error)
    if known != model:
        return f"The classifier of danger knows {known}, not {model or 'a server without encoder'}."
    return ""


def _guesses(text: str, vectors: NDArray[np.float32] | None) -> list[Guess]:
    if vectors is None or vectors.shape[1:] != (DIMENSIONS,):
        return []
    try:
        second = is_whole(text)
        return [
            classifier().guess(vector, after=bool(number) and second)
            for number, vector in enumerate(vectors)
        ]
    except ConfigError:
        # The patterns are left; the server says at its start that the rest is missing.
        return []


def _graver(one: Assessment, other: Assessment) -> Assessment:
    return max(one, other, key=lambda found: LEVELS.index(found.level))


def _in_context(words: str, context: Sequence[str]) -> Assessment:
    """Judges words by what was said before them."""
    if not context:
        return Assessment()
    own, asked = _said_by(context, "U:"), _said_by(context, "A:")
    disclosed = any(_is_grave(line) for line in own)
    # Only what the companion said last is answered.
    question = asked[-1] if asked and not context[-1].startswith("U:") else ""
    short = len(words.split()) <= 2 * ANSWER_WORDS
    if question and short and (found := _answered(words, question, disclosed)):
        return found
    if disclosed and _TAKEN_BACK.search(words):
        return Assessment("concern", "minimised")
    uneasy = disclosed or any(_BAD_NEWS.search(line) for line in own)
    if uneasy and _MEANS.search(words):
        return Assessment("concern", "means")
    return Assessment()


def _answered(words: str, question: str, disclosed: bool) -> Assessment | None:
    if _ASKED.search(question):
        if _YES.match(words):
            return Assessment("high", "confirmed")
        if _NO.match(words):
            return Assessment("concern", "minimised") if disclosed else None
        if len(words.split()) <= ANSWER_WORDS:
            return Assessment("concern", "unclear")
    elif _ASKED_SAFE.search(question) and (_NO.match(words) or words.startswith("not ")):
        return Assessment("high", "not safe")
    return None


def _is_uneasy(context: Sequence[str]) -> bool:
    """Whether earlier lines hold danger, bad news, or a question that looks for either."""
    own, asked = _said_by(context, "U:"), _said_by(context, "A:")
    return any(_is_grave(line) or _BAD_NEWS.search(line) for line in own) or any(
        _ASKED.search(line) or _ASKED_SAFE.search(line) or _PROBED.search(line) for line in asked
    )


def _said_by(context: Sequence[str], side: str) -> list[str]:
    """Lists the earlier lines of one side, `U:` or `A:`, in normalised words."""
    return [normalise(line[2:]) for line in context if line.startswith(side)]


def _is_grave(words: str) -> bool:
    return any(
        level in ("high", "imminent") and not denied for level, _, denied in patterns.found(words)
    )
