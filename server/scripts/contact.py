"""Whom a person trusts and would ask for help, as they say it; it calls nobody."""

import re

from server.safety import HelpLines
from server.scripts.words import any_of, asks, parts

NEVER_CALLS = "I never call anybody myself"
WHO = "Who is one person whom you trust?"
_MOST_WORDS = 8
"""Of a name with what belongs to it; more is a story."""
_WHOM = (
    r"(?:call|ask|ring|phone|turn to|talk to|lean on|rely on|count on|reach out to|go to|trust)"
    r"(?: for help)?"
)
_MY = r"my (?:trusted|safe|emergency|support|contact)(?: (?:person|contact|friend|adult))?"
_ASKS_WHOM = re.compile(
    any_of(
        rf"who(?:m)? (?:can|could|should|do) i {_WHOM}"
        r"(?: (?:in|when|if) (?:it|things|i|an?) .*| tonight)?",
        rf"who(?:'s| is| was) {_MY}",
        rf"(?:is there )?(?:anyone|anybody|someone|somebody) i (?:can|could) {_WHOM}",
    )
)
_BEFORE = r"(?:(?:uh+|um+|er|h?mm+|well|so|ok(?:ay)?|yes|yeah|and|i think|i guess|tad ?bot)[, ]+)*"
_ONE = r"(?:the (?:only )?(?:one|person|people|ones)|someone|somebody)(?: (?:who|whom|that))?"
_I_TRUST = rf"i (?:really |always )?(?:can |could |would )?{_WHOM}(?: (?:the )?most)?"


def _ways(*ways: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(f"{_BEFORE}{way}", re.IGNORECASE) for way in ways)


_NAMED = _ways(
    rf"{_MY} (?:is|are|would be|should be|will be) (?P<who>.+)",
    rf"(?:please )?(?:make|put|note|take) (?P<who>.+?) (?:as|down as|in as) {_MY}",
)
"""Said for the plan: it takes the place of whoever stood there."""
_TRUSTED = _ways(
    rf"(?P<who>.+?) (?:is|are) {_ONE} {_I_TRUST}",
    rf"{_ONE} {_I_TRUST} (?:is|are) (?P<who>.+)",
    r"i (?:really )?trust (?P<who>.+?) (?:the )?most",
)
"""Said by the way: it is added to whoever stands there."""
_TITLE = re.compile(r"\b(dr|mrs?|ms|st|prof)\.", re.IGNORECASE)
_NOBODY = re.compile(
    r"\b(?:i|i'm|he|she|they|it|you|that|this|who|what|there|not|no|nobody|never|none|if|maybe"
    r"|think|dead|gone|god)\b|n't\b",
    re.IGNORECASE,
)
"""Words that no trusted person's name has."""


def asks_whom(words: str) -> bool:
    """Whether somebody asks whom they could ask for help."""
    return asks(_ASKS_WHOM, words) is not None


def named(words: str) -> tuple[str, bool]:
    """Gives whom the person trusts, in their words, or ""; and whether only they are meant."""
    if not parts(words):
        return "", False
    text = _TITLE.sub(r"\1", " ".join(words.replace("’", "'").split()))
    for sentence in re.split(r"[.!?]+", text):
        for patterns, only in ((_NAMED, True), (_TRUSTED, False)):
            for pattern in patterns:
                if (match := pattern.fullmatch(sentence.strip())) and (
                    who := _checked(match["who"])
                ):
                    return who, only
    return "", False


def suggested(contact: str, lines: HelpLines | None) -> str:
    """Says whom the plan names, or asks for somebody."""
    if contact:
        return f"Your plan says: {contact.rstrip('.!?, ')}. {NEVER_CALLS}, so that call is yours."
    if lines is None:
        return f"{NEVER_CALLS}. {WHO}"
    return f"{NEVER_CALLS}, and you can always call {lines.line_spoken}. {WHO}"


def _checked(who: str) -> str:
    who = who.strip(" ,;:")
    fits = len(who.split()) <= _MOST_WORDS and not _NOBODY.search(who)
    return who if fits else ""
