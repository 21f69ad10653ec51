"""Notices danger in an utterance by patterns; a plain first version for English.

It finds the plain ways to say it, as a recogniser writes them. It does not find hints,
other languages or irony, and nobody with clinical training has reviewed it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

LEVELS = ("none", "concern", "high", "imminent")
"""From nothing to do to the emergency number first."""
LONGEST = 4_000
"""Characters that are looked at, from the end: what was said last counts most."""


@dataclass(frozen=True)
class Assessment:
    """How near danger is, and the stable name of the rule that decided ("" for none)."""

    level: str = "none"
    reason: str = ""


_SPELLINGS = (
    (r"[‘’ʼ`]", "'"),
    (r"\b(i|you|he|she|we|they|it|that|there) (m|re|ve|ll|d)\b", r"\1'\2"),
    (r"\b(do|does|did|ca|wo|is|are|was|would|could|should|have|has)n t\b", r"\1n't"),
    (r"\b(dont|doesnt|didnt|cant|wont|isnt|wouldnt|couldnt)\b", lambda m: m[0][:-1] + "'t"),
    (r"\b(im|ive)\b", lambda m: "i'" + m[0][1:]),
    (r"\bwanna\b", "want to"),
    (r"\b(gonna|going too)\b", "going to"),
    (r"\bmy self\b", "myself"),
    (r"\bsewer ?side\b", "suicide"),
    (r"[^\w' ]+", " "),
    (r"\s+", " "),
)
_SELF = r"(?:myself|me)"
_KILL = (
    rf"(?:kill(?:ing|ed)? myself|end(?:ing)? (?:my (?:own )?life|it all|myself)"
    rf"|tak(?:e|ing) my (?:own )?life|hang(?:ing)? myself|shoot(?:ing)? myself"
    rf"|drown(?:ing)? myself|unaliv(?:e|ing) {_SELF}|commit(?:ting)? suicide"
    r"|jump(?:ing)? (?:off|from|in front of) (?:a|the) \w+|slit(?:ting)? my wrists?"
    r"|overdos(?:e|ing))"
)
_MEANS = r"(?:gun|pistol|rope|noose|knife|razor|blade|pills|tablets)"
_INTEND = r"(?:i'm|i am) (?:going to|about to)"
_NOW = r"(?:tonight|today|right now|now|in a (?:minute|moment)|this (?:evening|afternoon|morning))"
_SOMEONE = r"(?:him|her|them|someone|somebody|people|my (?:\w+ )?\w+)"
_RULES: tuple[tuple[str, str, str], ...] = (
    (
        "imminent",
        "attempt",
        r"i(?: have|'ve)?(?: just)? (?:took|taken|swallowed|had) "
        r"(?:all|too many|a (?:lot|bunch|handful) of|the whole \w+ of|\w+ty) (?:of )?(?:my |the |them )?"
        r"(?:pills|tablets|medication|meds|sleeping|paracetamol|tylenol|aspirin|them)",
    ),
    (
        "imminent",
        "attempt",
        r"i(?: have|'ve)? (?:just )?(?:overdosed|cut my wrists?|slit my wrists?)",
    ),
    ("imminent", "attempt", r"(?:i'm|i am) bleeding (?:a lot|badly|out)"),
    (
        "imminent",
        "place",
        r"(?:i'm|i am) (?:\w+ )?(?:on|at) (?:the|a) (?:edge of (?:the|a) )?"
        r"(?:bridge|roof|ledge|cliff|tracks|railway|balcony)\b.{0,40}\b(?:jump|end|over|die)",
    ),
    (
        "imminent",
        "means",
        rf"(?:i have|i've got|i'm holding) (?:the|a|my|all the|some) {_MEANS} "
        r"(?:here|ready|with me|next to me|in (?:my|front)|right here|in front of me|out)",
    ),
    ("imminent", "plan", rf"{_INTEND} {_KILL}"),
    (
        "imminent",
        "plan",
        rf"{_KILL}\b.{{0,40}}\b{_NOW}|{_NOW}\b.{{0,40}}\b(?:i'll|i will|i'm going to) {_KILL}",
    ),
    (
        "imminent",
        "medical",
        r"(?:i think )?(?:i'm|i am) having a (?:heart attack|stroke)"
        r"|i (?:can't|cannot) breathe(?: at all)?$",
    ),
    ("imminent", "abuse", r"(?:he|she)(?:'s| is) (?:going to|trying to) kill me"),
    ("high", "ideation", _KILL),
    ("high", "ideation", r"\bsuicid(?:e|al)\b"),
    (
        "high",
        "ideation",
        r"i (?:just |really |used to )*(?:want|wanted|would like|need) to (?:die|be dead|be gone forever)\b",
    ),
    (
        "high",
        "ideation",
        r"i (?:do not|don't) (?:want to|wish to) (?:live|be alive|be here|exist|wake up)\b",
    ),
    (
        "high",
        "ideation",
        r"(?:wish|rather) (?:i was|i were|to be|be|i'd been|i had been|i'd be) (?:dead|never born|not alive)",
    ),
    ("high", "ideation", r"(?:i'd|i would|i'll|i) be (?:\w+ )?better off dead"),
    ("high", "ideation", r"(?:no reason|nothing(?: left)?) to live(?: for)?\b"),
    (
        "high",
        "self-harm",
        rf"i(?:'ve| have|'m| am| was)? ?(?:been |keep |want to |used to |started )*"
        rf"(?:cut|cutting|hurt|hurting|burn|burning|harm|harming) {_SELF}\b",
    ),
    ("high", "self-harm", r"\bself[ -]?harm(?:ing|ed)?\b"),
    (
        "high",
        "third person",
        r"(?:kill(?:ing)?|hurt(?:ing)?) (?:himself|herself|themselves|themself)"
        r"|(?:he|she|they) (?:wants?|is going|are going) to die",
    ),
    (
        "high",
        "harm to others",
        rf"i(?:'m| am)? (?:want to|going to|am going to) (?:kill|hurt|stab|shoot) {_SOMEONE}\b",
    ),
    (
        "high",
        "abuse",
        r"(?:he|she|my (?:husband|wife|partner|boyfriend|girlfriend|father|dad|mother|mum|mom|uncle)) "
        r"(?:hits|beats|hit|beat|chokes|choked|rapes|raped|strangled) me\b",
    ),
    (
        "concern",
        "entrapment",
        r"i (?:can't|cannot) (?:go on|do this|take (?:it|this)|keep going)(?: any ?more| any longer)?\b",
    ),
    (
        "concern",
        "hopeless",
        r"(?:no|what's the|what is the) point (?:in |of |to )?(?:living|life|going on|being here|any ?more)",
    ),
    ("concern", "burden", r"(?:better off without me|(?:i'm|i am) (?:just |only )?a burden)"),
    (
        "concern",
        "passive wish",
        r"(?:never|not) (?:to )?wake up(?: again| any ?more| tomorrow)?\b"
        r"|wish i (?:could|would) (?:just )?(?:disappear|vanish)|(?:want|wanting) to disappear",
    ),
    (
        "concern",
        "hopeless",
        r"(?:tired of|done with|giving up on|give up on) (?:living|life|being alive|everything)",
    ),
)
_COMPILED = tuple((level, reason, re.compile(pattern)) for level, reason, pattern in _RULES)
_NEGATED = re.compile(
    r"(?:\bnot\b|n't\b|\bnever\b|\bno longer\b|\bwithout\b|\bno\b)(?: \w+){0,4} ?$"
    r"|\b(?:not|never) (?:been )?(?:thinking|thought) (?:of|about) ?$"
)
_PAST = re.compile(
    r"\b(?:used to|years ago|a long time ago|in the past|back then|when i was (?:young|a \w+|\w+teen))\b"
)
_YES = re.compile(
    r"^(?:yes|yeah|yep|yup|i am|i have|i do|maybe|sometimes|kind of|a little|i think so|i guess)\b"
)
_ASKED = re.compile(
    r"\b(?:ending your life|thinking (?:of|about) suicide|hurting yourself|killing yourself)\b"
)


def normalise(text: str) -> str:
    """Writes words in one way: lower case, no punctuation, what recognisers split joined."""
    words = text[-LONGEST:].lower()
    for pattern, replacement in _SPELLINGS:
        words = re.sub(pattern, replacement, words)
    return words.strip()


def assess(text: str, context: Sequence[str] = ()) -> Assessment:
    """Judges an utterance before anything else reads it.

    context: earlier lines, oldest first, each beginning with `U: ` (the person) or `A: `.
    The gravest rule wins. A rule that is negated or told of the past sinks to `concern`:
    it is asked about, not answered with a number.
    """
    words = normalise(text)
    found = Assessment()
    for level, reason, pattern in _COMPILED:
        for match in pattern.finditer(words):
            denied = _NEGATED.search(words[: match.start()]) or _PAST.search(words)
            grave = "concern" if denied else level
            if LEVELS.index(grave) > LEVELS.index(found.level):
                found = Assessment(grave, reason)
    if found.level in ("none", "concern") and _YES.match(words) and _was_asked(context):
        return Assessment("high", "confirmed")
    return found


def _was_asked(context: Sequence[str]) -> bool:
    said = [line for line in context if line.startswith("A: ")]
    return bool(said) and bool(_ASKED.search(said[-1].lower()))
