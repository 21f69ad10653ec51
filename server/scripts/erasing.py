"""Erasing by voice: what was said just now, or everything; it does not know where rows are."""

import re

from server.scripts import Erase, Line, Now
from server.scripts.asking import Asking, Question
from server.scripts.words import ASK, any_of, asks, core

NEWEST_S = 300.0
"""How far back "forget that" reaches: who regrets something says so within minutes."""
_WISH = rf"(?:{ASK}|i (?:want|would like|need) to |i'd like to |(?:can|could|may) (?:i|we) )"
_DELETE = r"(?:delete|erase|remove|wipe|clear)"
_SAID = r"(?:what i(?:'ve)? (?:just )?|(?:everything|that) i(?:'ve)? just )(?:said|told you)"
_KNOWN = r"(?: (?:that )?you(?:'ve)? (?:know|have|kept|keep|saved|stored|remember))"
_OF_ME = r"(?: (?:about|of|on) me)"
_DATA = r"(?:data|memory|memories|history|records?|information)"
_TOLD = any_of(
    r"i(?:'ve)? (?:ever )?(?:said|told you)",
    r"we(?:'ve)? (?:ever )?(?:said|talked about|discussed)",
)
_LAST = any_of(
    r"the last (?:bit|part|thing(?: i said)?|(?:few |five |two |couple of )?minutes)",
    r"my last (?:words|sentence|message)",
)
_BARE = re.compile(rf"{ASK}(?:forget|delete|erase) (?:that|this)(?: again)?")
"""Only as all of the words: "forget that, how are you" changes the subject."""
_NEWEST = re.compile(
    any_of(
        rf"{ASK}forget (?:{_SAID}|i (?:just )?said (?:that|this|it)|{_LAST})",
        rf"{_WISH}{_DELETE} (?:{_SAID}|{_LAST})",
    )
)
_EVERYTHING = re.compile(
    any_of(
        rf"{ASK}{_DELETE} (?:everything|all|it all|all of it){_KNOWN}?{_OF_ME}?",
        rf"{_WISH}{_DELETE} (?:everything|all|all of it)(?:{_KNOWN}{_OF_ME}?|{_OF_ME})",
        rf"{_WISH}{_DELETE} (?:all )?(?:of )?(?:my|your) {_DATA}(?:{_KNOWN}?{_OF_ME})?",
        rf"{_WISH}{_DELETE} (?:what|whatever|anything){_KNOWN}{_OF_ME}?",
        rf"{ASK}forget (?:me|all of it|it all|everything{_OF_ME}?)",
        rf"{ASK}forget (?:everything|what|all){_KNOWN}{_OF_ME}?",
        rf"(?:{ASK}forget|{_WISH}{_DELETE}) (?:everything|all) {_TOLD}(?: today| tonight)?",
    )
)
_ASK_NEWEST = "Shall I erase what was said in the last five minutes? Yes or no?"
_ASK_EVERYTHING = "Shall I erase all that I keep of you, from every talk, for good? Yes or no?"
_DONE_NEWEST = "It is gone from here, and I erased {rows}."
_DONE_EVERYTHING = "I erased {rows}, and I keep nothing more of you. We can still talk."


class Erasing:
    """Erases on request, after asking once."""

    def __init__(self) -> None:
        self._asking = Asking()

    def begin(self, words: str, now: Now) -> Line | None:
        """Asks before it erases; a clear wish at the end of a story counts as well."""
        for pattern, ask, done, newest_s in (
            (_NEWEST, _ASK_NEWEST, _DONE_NEWEST, NEWEST_S),
            (_EVERYTHING, _ASK_EVERYTHING, _DONE_EVERYTHING, None),
        ):
            bare = newest_s is not None and _BARE.fullmatch(core(words))
            if bare or asks(pattern, words, however_long=True):
                question = Question(ask, Line(done, Erase(newest_s)), erases=True)
                return self._asking.ask(question, now)
        return None

    def go_on(self, words: str, now: Now) -> Line | None:
        """Follows the answer to its question."""
        return self._asking.answer(words, now)

    def again(self, now: Now) -> Line | None:
        """Asks what was put off while danger was near."""
        return self._asking.again(now)
