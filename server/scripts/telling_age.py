"""How old somebody says that they are, among all the numbers that people say; pure.

It knows no question, and does not doubt an age that is plainly told.
"""

import re

from server.scripts.words import core, plain

ADULT_FROM = 18
YOUNGEST, OLDEST = 6, 99
"""Ages that are believed; "I am one of them" is none."""
_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBERS = {
    **{word: number for number, word in enumerate((*_ONES, *_TEENS), start=1)},
    **{word: 10 * number for number, word in enumerate(_TENS, start=2)},
}
NUMBER = (
    rf"(?:\d{{1,3}}|(?:{'|'.join(_TENS)})(?: (?:{'|'.join(_ONES)}))?"
    rf"|{'|'.join(_TEENS)}|{'|'.join(_ONES)})(?![\w'])"
)
"""In a pattern: a whole number below a thousand, in digits, or below a hundred in words."""
_ENDS_OF_SENTENCES = re.compile(r"[.!?…\n]+")
_COMMAS = re.compile(r"[,;:]+")
_I_AM = r"(?:i'm|i am)"
_BEGINS = r"(?:^|(?<=\band )|(?<=\bbut )|(?<=\bbecause )|(?<=\bcause )|(?<=\bsince ))"
"""Where somebody speaks of themselves; not after "he says" or "when"."""
_ONLY = r"(?:(?:only|just|actually|already|still|about|around|barely) )*"
_MEASURES = (
    r"(?:weeks?|months?|days?|hours?|minutes?|mins?|seconds?|percent|pounds?|kilos?|stone|feet|foot"
    r"|inch(?:es)?|miles?|thousand|hundred|quarters?|years? (?!old|of age))"
)
_ENDS = (
    r"(?=$| (?:and|but|so|because|now|today|actually|already|yet|by the way|(?:almost|nearly"
    rf"|going on) {NUMBER})\b(?! (?:a )?(?:{NUMBER}|half|few|couple|{_MEASURES})))"
)
_OLD = r"(?: (?:years? old|years? of age|yrs old))?(?: and a half)?"
_WHEN = r"(?: (?:yesterday|recently|(?:last|this|in|on) \w+))?"
_NUMBERED = (
    # What stands before the number, and from which number on it is an adult's.
    (re.compile(rf"{_BEGINS}{_I_AM} {_ONLY}(?P<n>{NUMBER}){_OLD}{_ENDS}"), ADULT_FROM),
    (re.compile(rf"{_BEGINS}{_I_AM} {_ONLY}an? (?P<n>{NUMBER}) years? old\b"), ADULT_FROM),
    (
        re.compile(rf"{_BEGINS}i(?:'ve| have)? (?:just )?turned (?P<n>{NUMBER}){_WHEN}{_ENDS}"),
        ADULT_FROM,
    ),
    (
        re.compile(rf"{_BEGINS}{_I_AM} {_ONLY}(?:nearly|almost) (?P<n>{NUMBER}){_OLD}{_ENDS}"),
        1 + ADULT_FROM,
    ),
)
_UNDER = re.compile(
    rf"{_BEGINS}{_I_AM} {_ONLY}(?:not (?:yet |even |quite )?|under |below |younger than )"
    rf"(?P<n>{NUMBER}){_OLD}{_ENDS}"
)
_OVER = re.compile(
    rf"{_BEGINS}{_I_AM} (?:well )?(?:over|above|past|older than) (?P<n>{NUMBER}){_OLD}{_ENDS}"
)
_GRADE = (
    r"(?:(?:the )?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh"
    r"|(?:\d|10|11)(?:st|nd|rd|th)) grade|year (?:\d|10|11|seven|eight|nine|ten|eleven)"
    r"|(?:primary|elementary|middle) school)"
)
_MINOR = re.compile(
    rf"{_BEGINS}{_I_AM} {_ONLY}(?:a (?:minor|teenager|teen|school ?(?:girl|boy|kid))|underage"
    rf"|in {_GRADE}){_ENDS}"
)
_ADULT = re.compile(
    rf"{_BEGINS}{_I_AM} {_ONLY}(?:an adult|a grown ?up|a grown (?:man|woman)"
    rf"|in my (?:early |mid |late )?(?:{'|'.join(one[:-1] + 'ies' for one in _TENS)})){_ENDS}"
)
_OF_OTHERS = re.compile(r"\b(?:said|says|say|told|tells|thinks?|thought|lied|song)(?: \w+)? and $")
_STORY = re.compile(rf"(?:so|and|and then|then|anyway) {_I_AM} (?:\w+ ){{1,4}}and ")
"""How what was once is told as if it were now: "so I'm six, and he walks in"."""


def told_age(words: str) -> bool | None:
    """Whether the person says, in their own name, that they are a minor; None: nothing of it.

    However long the words are; ages of others, of then, and other numbers are none.
    """
    # Between sentences nobody is quoted; after a comma somebody may be: "he said, I'm fifteen".
    marked = _ENDS_OF_SENTENCES.sub(" and and ", _COMMAS.sub(" and ", words.strip(" .!?")))
    if _STORY.match(plain(marked)):
        return None
    text = core(marked)
    for pattern, adult_from in _NUMBERED:
        for match in pattern.finditer(text):
            age = number(match["n"])
            if believed(age) and not _OF_OTHERS.search(text[: match.start()]):
                return age < adult_from
    if (under := _UNDER.search(text)) and YOUNGEST <= number(under["n"]) <= ADULT_FROM:
        return True
    if (over := _OVER.search(text)) and ADULT_FROM - 1 <= number(over["n"]) <= OLDEST:
        return False
    return True if _MINOR.search(text) else False if _ADULT.search(text) else None


def believed(age: int) -> bool:
    """Whether a number can be somebody's age."""
    return YOUNGEST <= age <= OLDEST


def number(words: str) -> int:
    """Reads what NUMBER matched."""
    if words.isdecimal():
        return int(words)
    return sum(_NUMBERS[one] for one in words.split())
