"""Screens each clause of the language model before it is spoken; it knows no model.

What it looks for stands in the two files beside it. It reads words, not intentions: it
catches what small models are known to say, and can be got round by one that means to.
"""

import re
import unicodedata
from dataclasses import dataclass

from server.safety.guard_numbers import dialled
from server.safety.guard_patterns import RULES

REPLACEMENTS = {
    "method": "I will not go into that. I would rather hear what hurts so much.",
    "hopeless": "I do not see it that way; you matter.",
    "delusion": "I cannot know that, but it sounds frightening.",
    "medicine": "I cannot give advice on medicine; a doctor or pharmacist can.",
    "diagnosis": "I cannot say what it is; a doctor can look into it with you.",
    "human": "I am a computer program, not a person.",
    "romance": "I am a computer program that listens, and no more than that.",
    "secrecy": "I cannot promise to keep a secret.",
    "promise": "That is more than I can promise, but I am listening now.",
    "prompt": "I can only listen and talk with you.",
    "link": "I had better not name addresses from memory.",
    "number": "I had better not say numbers from memory.",
}
"""What is said in place of a clause that must not be spoken, by the code of what was caught."""


@dataclass(frozen=True)
class Guarded:
    """A clause that is fit to be spoken."""

    text: str
    caught: str = ""
    """Code of what was replaced, one of REPLACEMENTS; "": nothing, and `text` is the clause."""


def guard(clause: str, before: str = "") -> Guarded:
    """Gives the clause to speak: itself, or a sentence that fits what was wrong with it.

    before: what was already said of this sentence; harm may lie in both together.
    """
    plain, whole = _plain(clause), _plain(f"{before} {clause}")
    code = _caught(_words(whole), len(_words(plain))) or dialled(whole, plain)
    return Guarded(REPLACEMENTS[code], code) if code else Guarded(clause)


# How words are written: one way, whatever hides them.

_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´", "'"))
_LOOKALIKES = str.maketrans("аеіоорсухѕј", "aeioopcyxsj")
"""Cyrillic letters that look like Latin ones."""
_DOTTED = re.compile(r"\b(?:[a-z][.\-_*·]+){2,}[a-z]\b|\b(?:[a-z] ){3,}[a-z]\b")
_CONTRACTIONS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\bwon't\b|\bwont\b", "will not"),
        (r"\bcan't\b|\bcant\b|\bcannot\b", "can not"),
        (r"\bshan't\b", "shall not"),
        (r"n't\b", " not"),
        (r"\b(do|does|did|is|are|was|would|could|should|have|has)nt\b", r"\1 not"),
        (r"\bi'?m\b(?! g\b)", "i am"),
        (r"\b(you|we|they)'re\b", r"\1 are"),
        (r"\byoure\b", "you are"),
        (r"\b(he|she|it|that|there|what|who|this|someone|somebody|nobody|god|help)'s\b", r"\1 is"),
        (r"\blet's\b", "let us"),
        (r"'ll\b", " will"),
        (r"'d better\b", " had better"),
        (r"'d\b", " would"),
        (r"'ve\b", " have"),
        (r"\bgonna\b", "going to"),
        (r"\bwanna\b", "want to"),
        (r"\b(any|no|some|every) (body)\b", r"\1\2"),
        (r"\bm\.g\b", "mg"),
    )
)
_ENDS = re.compile(r"[.!?…;:]+(?=\s|$)")
_QUOTE = re.compile(r"\b(you (?:said|say|told me|mentioned|were saying))(?: \w+){0,3}:(?=\s)")
_BIDDEN = re.compile(
    r", (?=(?:please |just |then |so |and )*(?:end|kill|hurt|hang|cut|slit|take|jump|overdose)\b)"
)
"""A comma before a verb that bids: what follows stands for itself."""
_NO_WORD = re.compile(r"[^a-z0-9|]+")


def _plain(text: str) -> str:
    """Small letters and digits of one kind, without marks and invisible characters."""
    kept = "".join(
        one
        for one in unicodedata.normalize("NFKD", text)
        if unicodedata.category(one) not in ("Cf", "Mn", "Cc") or one.isspace()
    )
    plain = kept.casefold().translate(_APOSTROPHES).translate(_LOOKALIKES)
    plain = "".join(_digit(one) for one in plain) if not plain.isascii() else plain
    joined = _DOTTED.sub(lambda match: re.sub(r"[^a-z]", "", match[0]), plain)
    return re.sub(r"\s+", " ", joined).strip()


def _digit(one: str) -> str:
    return str(unicodedata.digit(one)) if one.isdigit() else one


def _words(plain: str) -> str:
    """Words with one space between them, contractions written out, "|" where a sentence ends."""
    words = _BIDDEN.sub(" | ", _ENDS.sub(" | ", _QUOTE.sub(r"\1 quote", plain)))
    for pattern, replacement in _CONTRACTIONS:
        words = pattern.sub(replacement, words)
    return _NO_WORD.sub(" ", words.replace("'", " ")).strip()


# What is said, and what takes it back.

_ASKED = re.compile(
    r"^(?:(?:and|so|but|then|well|okay|ok|oh|please tell me|tell me|may i ask|i wonder|right now"
    r"|if i may ask|can i ask|thank you for telling me) )*"
    r"(?:(?:what|how|when|where|who|since when|how (?:long|often|much)) (?:\w+ ){0,2}?)?"
    r"(?:are|do|did|does|have|has|is|were|was|had|would|has|might|could) "
    r"(?:you|your|they|it|he|she|there|these|those|any|the|people|someone|anyone|that|this|a)\b"
)
_TOLD = re.compile(
    r"\b(?:you|he|she|they|it|people|someone|somebody|that|this|voices?|mind|head|illness"
    r"|depression|thoughts?|pain|grief|doctor|therapist|psychiatrist|mother|father|mum|dad|sister"
    r"|brother|friend|husband|wife|partner|boss) (?:(?!i )\w+ ){0,3}?"
    r"(?:feels?|feeling|felt|thinks?|thinking|thought|believes?|believing|says?|said|saying|tells?"
    r"|told|telling|fears?|worry|worried|afraid|scared|convinced|wonder|wondered|asked|wants?|wanted"
    r"|wanting|wish|wished|heard|hear|sense|mentioned|described|imagine|decided|tried|noticed"
    r"|diagnosed|prescribed)\b"
    r"|\b(?:feels?|feeling|felt) (?:like|as if|as though|that)\b|\bas (?:if|though)\b"
    r"|\bnot (?:true|mean|think|believe|see|agree|because|know|tell|say)\b"
    r"|\b(?:idea|belief|thoughts?|fear|lie|feeling|sense) that\b"
    r"|\bi (?:hear|wonder|hope|wish)\b"
    r"|\b(?:it|this|everything) (?:\w+ )?seems? that\b"
)
_TOLD_TO = re.compile(
    r"\b(?:feels?|felt|thinks?|thinking|thought|believes?|says?|said|tells?|told|wants?|wanted|wish"
    r"|wished|decided|tried|tempted|planned|urges?|thoughts? of|instead of|rather than|from|before)"
    r" (?:(?:that|like|as|if|to|me|you|they|he|she|how|about|of|the|your) )*$"
)
_SUPPOSED = re.compile(r"\b(?:whether|if|when|unless)(?: \w+)? $")
_QUOTED = re.compile(r"\bquote\b|\byou (?:said|say|told me)(?: that)? $")
_OF_ITSELF = ("human", "romance")
"""Codes of what a speaker says of itself, which are the person's where they are quoted."""
_DENIED = re.compile(r"\b(?:not|never|no|nobody|without|neither|nor)(?: \w+){0,4} $")
_AFTER_ALL = re.compile(r"\b(?:because|since|in fact|the truth is)\b")
"""What comes after it is the speaker's own again."""
_JOINED = re.compile(r"\b(?:and|so|but|yes|indeed|honestly) $")
"""Right before it, too: "you think of it, and" says no more who thinks so."""
_DOCTOR = re.compile(
    r"\b(?:talk|talking|speak|speaking|ask|asking|check|checking|discuss\w*|see|seeing|bring it up)"
    r" (?:\w+ ){0,4}?(?:doctor|pharmacist|gp|psychiatrist|nurse|prescriber)"
    r"|\bas (?:prescribed|your doctor|the doctor|agreed)|\b(?:doctor|psychiatrist|pharmacist|gp)"
    r" (?:\w+ )?(?:told|said|prescribed|suggested|gave|decides?|can|knows?)\b"
)
_ALONE = re.compile(
    r"\b(?:without|instead of|rather than|no need to|not need to|not have to|your doctor is wrong)\b"
)


def _caught(words: str, new: int) -> str:
    """Finds the code of what is wrong; new: length of the words that were not spoken yet."""
    said = len(words) - new
    for rule in RULES:
        for match in rule.always.finditer(words):
            if match.end() > said and not (rule.code in _OF_ITSELF and _quoted(words, match)):
                return rule.code
        for match in rule.unless_excused.finditer(words):
            if match.end() > said and not _excused(rule.code, words, match):
                return rule.code
    return ""


def _quoted(words: str, match: re.Match[str]) -> bool:
    """Whether these are the person's own words: "you said: my mother left"."""
    begin = words.rfind("|", 0, match.start() + 1) + 1
    return _QUOTED.search(words[begin : match.start()]) is not None


def _excused(code: str, words: str, match: re.Match[str]) -> bool:
    begin = words.rfind("|", 0, match.start() + 1) + 1
    before = words[begin : match.start()].lstrip()
    if _DENIED.search(before) and not before.endswith("why not "):
        return code != "medicine" or _DOCTOR.search(words) is not None or "i can not" in before
    if code == "medicine" and _DOCTOR.search(words) and not _ALONE.search(words):
        return True
    if _ASKED.search(words[begin:].lstrip()) or _SUPPOSED.search(before):
        return True
    # What one ought to do is told again only right after who says so.
    if _JOINED.search(before):
        return False
    told = _TOLD_TO if code in ("method", "medicine") else _TOLD
    return told.search(_AFTER_ALL.split(before)[-1]) is not None
