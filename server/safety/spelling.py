"""Writes words in one way, whatever hand or recogniser wrote them; it knows no meaning."""

import re
import unicodedata

LONGEST = 4_000
"""Characters that are looked at, from the end: what was said last counts most."""
_ACCENTS = re.compile("[\u0300-\u036f]")
_SPELLINGS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[‘’ʼ`´]", "'"),
        (r"\b(i|you|he|she|we|they|it|that|there|who) (m|re|ve|ll|d|s)\b", r"\1'\2"),
        (r"\b(do|does|did|ca|wo|is|are|was|would|could|should|have|has|had)n t\b", r"\1n't"),
        (
            r"\b(do|does|did|ca|wo|is|are|was|would|could|should|have|has|had)nt\b",
            r"\1n't",
        ),
        (r"\bi?m gonna\b|\bima\b|\bimma\b", "i'm going to"),
        (r"\b(im|ive|id|ill)\b(?= \w)", lambda match: "i'" + match[0][1:]),
        (r"\b(youre|theyre|weve|youve|theyve|shes|hes)\b", lambda match: _apostrophe(match[0])),
        (r"\bcannot\b|\bcan not\b", "can't"),
        (r"\b(?:wanna|want too|wan to|won to)\b", "want to"),
        (r"\b(?:gonna|going too|gunna|goin to)\b", "going to"),
        (r"\bmy self\b", "myself"),
        (r"\b(him|her|your|it) self\b", r"\1self"),
        (r"\bthem ?selfs?\b", "themselves"),
        (
            r"\b(?:sewer|sue+|sue a|sooey|su|sui|sewers) ?(?:side|aside|cide|slide"
            r"|sides)(?P<al>al)?\b",
            r"suicide",
        ),
        (r"\b(?:suicide|suicidal) (?:all|al|ul)\b", "suicidal"),
        (r"\bun ?a ?live\b", "unalive"),
        (r"\bover ?dos(e|ed|ing)\b", r"overdos\1"),
        (r"\b(?:end|ended|ending) at all\b", "end it all"),
        (r"\b(want|going|ready|like|hoping|wish|trying|time) to dye\b", r"\1 to die"),
        (r"\b(no|any|some|every) (body|one|thing)\b", r"\1\2"),
        (r"\bwaking? up any ?more\b", "wake up anymore"),
        (r"\bany more\b", "anymore"),
        (r"\bgood bye\b", "goodbye"),
        (r"\bself[ -]?harm(ing|ed)?\b", r"self harm\1"),
        (r"\bk m s\b", "kms"),
        (r"\bc t b\b", "ctb"),
        (r"\brist(s?)\b", r"wrist\1"),
        (r"\bnuthin'?\b|\bnothin'", "nothing"),
        (r"\b(\w{2,})in' ", r"\1ing "),
    )
)


def normalise(text: str) -> str:
    """Gives lower case words without punctuation; what recognisers split is joined, and so on.

    Accents of Latin letters go; other scripts stay as they are.
    """
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text[-LONGEST:].casefold()))
    words = _words(plain.replace("’", "'").replace("‘", "'").replace("ʼ", "'"))
    for pattern, replacement in _SPELLINGS:
        words = pattern.sub(replacement, words)
    return words


def _words(text: str) -> str:
    """Leaves letters of any script with their marks, digits, and apostrophes inside words."""
    kept = "".join(one if _is_of_word(one) else " " for one in text)
    return re.sub(r" +", " ", re.sub(r"(?<!\w)'|'(?!\w)", " ", kept)).strip()


def _is_of_word(one: str) -> bool:
    return one == "'" or unicodedata.category(one)[0] in "LMN"


def _apostrophe(word: str) -> str:
    for ending in ("re", "ve", "s"):
        if word.endswith(ending):
            return f"{word.removesuffix(ending)}'{ending}"
    return word
