"""Whom a person trusts and would ask for help, as they say it; it calls nobody."""

import re

from server.safety import HelpLines
from server.scripts.words import asks, parts

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
    rf"who(?:m)? (?:can|could|should|do) i {_WHOM}(?: (?:in|when|if) (?:it|things|i|an?) .*"
    r"| tonight)?"
    rf"|who(?:'s| is| was) {_MY}|(?:is there )?(?:anyone|anybody|someone|somebody) i (?:can"
    rf"|could) {_WHOM}"
)
_BEFORE = r"^(?:(?:uh+|um+|er|h?mm+|well|so|ok(?:ay)?|yes|yeah|and|i think|i guess|tad ?bot)[, ]+)*"
_ONE = r"(?:only )?(?:one|person|people|ones)"
_NAMED = (
    re.compile(
        rf"{_BEFORE}{_MY} (?:is|are|would be|should be|will be) (?P<who>.+)$", re.IGNORECASE
    ),
    re.compile(
        rf"{_BEFORE}(?:please )?(?:make|put|note|take) (?P<who>.+?) (?:as|down as|my"
        rf"|in as) (?:{_MY})$",
        re.IGNORECASE,
    ),
)
"""Said for the plan: it takes the place of whoever stood there."""
_TRUSTED = (
    re.compile(
        rf"{_BEFORE}(?P<who>.+?) (?:is|are) (?:the {_ONE}|someone|somebody)(?: (?:who|whom|that))? "
        rf"i (?:really |always )?(?:can |could |would )?{_WHOM}(?: (?:the )?most)?$",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{_BEFORE}the {_ONE}(?: (?:who|whom|that))? i (?:really )?(?:can |could |would )?{_WHOM}"
        rf"(?: (?:the )?most)? (?:is|are) (?P<who>.+)$",
        re.IGNORECASE,
    ),
)
"""Said by the way: it is added to whoever stands there."""
_NOBODY = re.compile(
    r"\b(?:i|i'm|he|she|they|it|you|that|this|who|what|there|not|no|nobody|never|none|if|maybe"
    r"|think"
    r"|don't|isn't|aren't|dead|gone|god)\b|n't\b",
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
    for sentence in re.split(r"[.!?\n]+", " ".join(words.replace("’", "'").split())):
        for patterns, only in ((_NAMED, True), (_TRUSTED, False)):
            for pattern in patterns:
                if (match := pattern.match(sentence.strip())) and (who := _checked(match["who"])):
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
