"""What words ask for, whatever stands around them: "uh, TADBot, could you please …"; pure.

It knows the recogniser's habits and how people answer a question, and no script.
"""

import re
from functools import lru_cache

from server.safety.spelling import normalise

LONGEST = 25
"""Words beyond which an utterance is a story, and begins nothing."""


def any_of(*ways: str) -> str:
    """Makes a pattern of several."""
    return f"(?:{'|'.join(ways)})"


_YOU = any_of(
    r"(?:can|could|would|will|won't) you",
    r"i(?:'d| would) (?:like you to|rather you)",
    r"i (?:want|need|ask|asked|told|wish) you (?:to|would)",
    r"i said",
    r"you (?:can|may|must|should|have to|need to)",
    r"try to|go ahead and|please|just|now|maybe|kindly|simply",
)
ASK = rf"(?:{_YOU} )*"
"""In a pattern: how something is asked of TADBot, or nothing of it."""
_YOU_MAY = any_of(
    r"you (?:can|may|might|are allowed to|have my permission to)",
    r"you're allowed to|feel free to",
    r"i (?:allow|want) you to|i(?:'d| would) (?:like you to|let you)|i'll let you",
    r"i give you (?:my )?permission to",
    r"i(?:'m| am) (?:ok|okay|fine) with you",
    r"it's (?:ok|okay|fine|all right) (?:if you|for you to)",
    r"i don't mind (?:if you|you)",
)
MAY = rf"(?:{_YOU_MAY} (?:(?:please|now|just|also|always) )*)"
"""In a pattern: how something is allowed."""
_TOGETHER = any_of(
    r"let's|let us",
    r"(?:can|could|shall|may|should|will) (?:we|i)",
    r"i(?:'d| would) (?:like|love) to",
    r"i (?:want|need|have) to",
    r"how about we|we (?:can|could|should|need to)",
    r"(?:(?:can|could|will|would) you )?help me(?: to| with)?",
    r"please|just|now|maybe",
)
WE = rf"(?:{_TOGETHER} )*"
"""In a pattern: how something is begun together, or nothing of it."""
_NAME = r"(?:tad ?(?:bot|bought|bott|but)|todd ?bot)"
_BEFORE = any_of(
    r"ah|oh|ok|okay|alright|all right|right|so|well|and|but|then|now|hey|hi|hello|yeah|yes",
    r"no(?! (?:camera|emotion|memory))|listen|look|please|just|sorry|actually|maybe|also|honestly",
    r"seriously|i (?:think|guess|believe)|excuse me|i mean|you know|like|wait|hold on|because",
    r"by the way|thank you|thanks|tell me|can i ask(?: you)?(?: something| a question)?",
    _NAME,
)
_BEHIND = any_of(
    r"please|(?<!for )(?:just now|right now|now)|thanks|thank you|ok|okay|then|for me|at all",
    r"for a (?:moment|minute|second|while|bit)|you know|i guess|already|immediately|at once",
    r"right away|from now on|anymore|actually|though|too|as well",
    r"(?:will|would|can|could) you|if you (?:can|could|want|like|don't mind)",
    _NAME,
)
_LEADING = re.compile(f"{_BEFORE} ")
_TRAILING = re.compile(f" {_BEHIND}$")
_AI = re.compile(r"\bA\.\s?I\b\.?", re.IGNORECASE)
_MURMURS = re.compile(r"\b(?:uh+|um+|er|erm|h+m+|mm+|ahem)\b ?")
_SHORT = re.compile(r"\b(that|what|who|let|how|where|here)s\b(?= )")
_REPORTED = re.compile(
    any_of(
        r"\b(?:said|says|told|tells|asked|asks|thought|texted|wrote)\b",
        r"\b(?:yell|shout|scream|whisper)(?:ed|s)\b|\b(?:he|she|they) goes?\b",
        r"\b(?:was|were|i'm|he's|she's|they're) (?:all |just )?like\b",
        r"\bkeeps? (?:saying|telling|asking|yelling|shouting)\b|\b(?:ask|asking) myself\b",
    )
)
_OF_OWN_WORDS = re.compile(
    any_of(
        r"^(?:no )?i said\b",
        r"\bi(?:'ve| have)? (?:just |ever |already )*(?:told|asked) you\b",
        r"\b(?:what|all|everything|anything|that|things?|words?|forget) i(?:'ve| have)? "
        r"(?:just |ever )*said\b",
    )
)
_QUOTED = re.compile('["“”«»„]')
_SENTENCE = re.compile(r"[.!?…\n]+")
_PART = re.compile(r"[.!?…\n,;:–—]+|\s-\s")


@lru_cache(maxsize=32)
def plain(words: str) -> str:
    """Writes words in one way, without murmurs."""
    joined = normalise(_AI.sub("AI", words))
    return _SHORT.sub(r"\1's", _MURMURS.sub("", f"{joined} ").strip() + " ").strip()


def core(words: str) -> str:
    """Gives plain words without the courtesies around them; alone these stay as they are."""
    text = plain(words)
    while match := _LEADING.match(text):
        text = text[match.end() :]
    while match := _TRAILING.search(text):
        text = text[: match.start()]
    return text


@lru_cache(maxsize=32)
def parts(words: str, however_long: bool = False) -> tuple[str, ...]:
    """Lists what may be a request: the whole, each sentence, and each part between commas.

    Nothing of a story, nor of what others said. however_long: of a story its end, which may be a
    request after all.
    """
    if len(plain(words).split()) > LONGEST:
        ends = [one for one in _SENTENCE.split(words) if plain(one)][-1:] if however_long else []
        return tuple(parts(one)[-1] for one in ends if parts(one))
    if _tells_of_others(words):
        return ()
    return tuple(dict.fromkeys([core(words), *_split(_SENTENCE, words), *_split(_PART, words)]))


def forget() -> None:
    """Drops what was worked out of an utterance while all scripts looked at it."""
    plain.cache_clear()
    parts.cache_clear()


def pieces(words: str) -> list[str]:
    """Lists all parts between marks, in order; [] where others are told of."""
    if _tells_of_others(words):
        return []
    return [one for one in _split(_PART, words) if not _LEADING.fullmatch(f"{one} ")]


def asks(pattern: re.Pattern[str], words: str, however_long: bool = False) -> re.Match[str] | None:
    """Finds a request: a part of the words that is all of the pattern."""
    matches = (pattern.fullmatch(one) for one in parts(words, however_long))
    return next((one for one in matches if one), None)


def cut(words: str, most: int) -> str:
    """Shortens to so many characters, at a word."""
    text = " ".join(words.split())
    if len(text) <= most:
        return text
    return text[: most + 1].rsplit(" ", 1)[0][:most].rstrip(" ,;:")


def _split(at: re.Pattern[str], words: str) -> list[str]:
    return [found for one in at.split(_AI.sub("AI", words)) if (found := core(one))]


def _tells_of_others(words: str) -> bool:
    text = plain(words)
    return bool(_QUOTED.search(words) or _REPORTED.search(_OF_OWN_WORDS.sub("", text)))


# How people answer a question. Each pattern takes one word of it or more; several may follow.

_YES = any_of(
    r"yes|yeah|yep|yup|ya|aye|sure|ok|okay|please(?: do)?|do (?:it|that|so)|go ahead|of course",
    r"certainly|absolutely|definitely|correct|i do|i am|i'm sure|you (?:can|may|should)|completely",
    r"that's (?:right|fine|ok|okay)|all right|alright|fine|by all means|i agree",
    r"let's do (?:it|that)|i want (?:that|it|you to)|all of it",
)
_NO = any_of(
    r"no|nope|nah|never|don't|do not|not (?:now|yet|really|at all|today)|i changed my mind",
    r"(?:i'd |i would )?(?:rather|better|prefer) not(?: to)?|please don't|leave it|stop|cancel",
    r"i don't(?: think so| want (?:that|to|it|you to))?|i'm not(?: sure)?|never ?mind|forget it",
    r"wait|don't do (?:it|that)",
)
_STOP = any_of(
    r"stop|stop (?:it|this|here|now)|enough|that's (?:enough|it)|quit|cancel|no more|i'm done",
    r"not now|later|leave it|i don't want (?:this|to|to do this|that)",
)
_SKIP = any_of(
    r"skip|skip (?:it|this|that|one|this one|this step)|next|next (?:one|step|question)|nothing",
    r"none|nobody|no one|pass|no|i don't know(?: yet)?|no idea|(?:i'm )?not sure|not really",
    r"leave (?:it|that|this) (?:out|empty)|nothing comes to mind",
    r"i can't think of (?:anything|anyone)",
)
_AGAIN = any_of(
    r"repeat|repeat (?:it|that|the question)|again|once more|what|pardon|sorry|come again",
    r"excuse me|say (?:(?:it|that) )?again|i didn't (?:hear|catch|get)(?: (?:it|that|you))?",
    r"what did you say|what was (?:that|the question)|i don't understand|what do you mean",
)
_THINKING = any_of(
    r"yes|yeah|ok|okay|sure|right|well|all right|alright|fine|so|i see|let me (?:think|see)|wait",
    r"hold on|hang on|(?:just |give me )*(?:a|one) (?:second|moment|minute|sec)",
)
_OVER = 12
"""Words beyond which nothing is a plain answer."""


def _made_of(answer: str, *others: str) -> re.Pattern[str]:
    """Makes the pattern of words that are an answer, once or more, with courtesies."""
    polite = any_of("well", "oh", "and", "i (?:think|guess|said)", "actually", "please", *others)
    late = f"thanks|thank you|very much|now|then|sorry|really|as it is|for now|anymore|{_NAME}"
    return re.compile(rf"(?:{polite} )*{answer}(?: (?:{answer}|{polite}|{late}))*")


_PATTERNS = {
    "yes": _made_of(_YES),
    "no": _made_of(_NO, "ok", "okay"),
    "stop": _made_of(_STOP, "no", "ok", "okay", "can we", "let's", "i want to", "just"),
    "skip": _made_of(_SKIP, "ok", "okay", "can we", "let's", "i want to", "just"),
    "again": _made_of(_AGAIN, "(?:can|could) you"),
    "thinking": _made_of(_THINKING),
}


def says(answer: str, words: str) -> bool:
    """Whether words are one of "yes", "no", "stop", "skip", "again", "thinking", and nothing more.

    "again" wants the question once more; "thinking" is on the way to an answer, and none yet.
    """
    text = plain(words)
    if not text:
        return answer == "thinking"
    return len(text.split()) <= _OVER and bool(_PATTERNS[answer].fullmatch(text))
