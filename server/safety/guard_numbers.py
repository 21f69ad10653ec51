"""Finds telephone numbers and addresses in what is said, however they are spoken; it calls nobody.

No model remembers them rightly, so that none of its own is spoken.
"""

import re
from itertools import pairwise

_LINK = re.compile(
    r"https?:|\bwww\b|[\w.+-]+ ?@ ?[\w-]+\.\w+"
    r"|\b[\w-]{2,}\.(?:com|org|net|gov|edu|io|info|uk|ca|au|de|co|eu|app|chat)\b"
    r"|\bdot (?:com|org|net|gov|co|uk|ca|edu)\b|\bat (?:gmail|hotmail|outlook|yahoo)\b"
)
_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGITS = {name: digit for digit, name in enumerate(_NAMES)} | {"nought": 0}
_DIGIT_WORD = re.compile(rf"\b(?:{'|'.join(_DIGITS)})\b")
_REPEATED = re.compile(r"\b(double|triple)[ -](\d)\b")
_O = re.compile(r"(?<=\d)([ ,-]+)(?:oh|o)\b|\b(?:oh|o)([ -]+)(?=\d[ -]\d)")
_SPACED = re.compile(r"(?<![\d.])\d(?:[ ,.\-–]+\d){2,}(?!\d)(?! ?(?:breath|rhythm|count|pattern))")
_LONG = re.compile(r"\+?\(?\d[\d ().\-–/]{5,}\d")
_GROUPS = re.compile(r"\b\d{3}[ \-]\d{3}\b|\b\d{2}(?:[ \-]\d{2}){2,}\b|\b0\d{3,} \d{3,}\b")
_KNOWN = re.compile(r"\b(?:988|911|741741|85258|116123|131114)\b|\b1?[ -]?8(?:00|66|77|88)-[a-z\d]")
_CALL = (
    r"(?:call|calling|dial|dialling|dialing|ring|phone|text|texting|reach|contact|number|hotline"
    r"|helpline|lifeline|line)"
)
_CODE = re.compile(
    rf"\b{_CALL}\b[^.?!]{{0,40}}?\b(?:(?!(?:19|20)\d\d\b)\d{{3,6}}|\d{{1,3}}(?:[ .\-]\d{{1,4}})+)\b"
    rf"|\b(?!(?:19|20)\d\d\b)\d{{3,6}}\b[^.?!]{{0,25}}\b(?:hotline|helpline|lifeline|crisis line)\b"
)
_BIG_WORD = (
    r"(?:\d|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    r"|hundred|thousand)"
)
_SPOKEN_CODE = re.compile(
    rf"\b{_CALL}\b(?:[ ,]+\w+){{0,3}}?[ ,]+{_BIG_WORD}(?:[ -]+(?:and )?{_BIG_WORD})+\b"
    r"|\b1 8 hundred\b|\b8 hundred(?: \d){2}"
)
_YEARS = re.compile(r"\b(?:19|20)\d\d ?[-–/] ?(?:(?:19|20)?\d\d)\b")


def dialled(whole: str, new: str) -> str:
    """Gives "link" or "number" where an address or a telephone number is named.

    new: the end of `whole`, which was not spoken yet.
    """
    if any(match.end() > len(whole) - len(new) for match in _LINK.finditer(whole)):
        return "link"
    digits = _in_digits(whole)
    said = len(digits) - len(_in_digits(new))
    for pattern in (_SPACED, _LONG, _GROUPS, _KNOWN, _CODE, _SPOKEN_CODE):
        for match in pattern.finditer(digits):
            if match.end() > said and not _counting(match[0]):
                return "number"
    return ""


def _in_digits(plain: str) -> str:
    """Writes spoken digits as digits: "nine double eight" becomes "9 8 8"."""
    digits = _DIGIT_WORD.sub(lambda match: str(_DIGITS[match[0]]), plain)
    digits = _O.sub(lambda match: f"{match[1] or ''}0{match[2] or ''}", digits)
    repeated = {"double": 2, "triple": 3}
    digits = _REPEATED.sub(lambda match: " ".join(match[2] * repeated[match[1]]), digits)
    return _YEARS.sub("then", digits)


def _counting(found: str) -> bool:
    """Whether somebody counts, up or down, as one does with a breath."""
    if re.search(r"[a-z]", found):
        return False
    numbers = [int(one) for one in re.findall(r"\d+", found)]
    steps = {after - before for before, after in pairwise(numbers)}
    return len(numbers) > 2 and steps in ({1}, {-1}) and max(numbers) < 21
