"""What speech over a reply is: an interruption, a backchannel, a noise, or the reply itself; pure.

It knows neither the sound nor who decides. Who is cut short once too often by their own cough
stops trusting; who cannot stop a machine that talks stops talking. Between the two the words
decide.
"""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum, auto

from server.engines import Heard

MURMURS = frozenset(
    "m mm hm hmm mhm mmhm mmhmm mhmm uh uhh huh uhhuh um umm er erm ah ahh aha oh ohh ooh oy wow"
    " ha haha mama mom mum".split()
)
"""Sounds of a listener; they answer nothing. "Mama" is what Whisper makes of "mm-hm"."""
BACKCHANNELS = MURMURS | frozenset(
    "yeah yes yep yup ya okay ok right sure i see true exactly well so and alright fine good great"
    " nice really".split()
)
"""Words of a listener who lets the other go on."""
BACKCHANNEL_PHRASES = re.compile(
    r"\b(?:all right|of course|got it|go on|i know|makes sense|that's (?:right|true|good|it|so))"
    r"(?![\w'])"
)
"""The same in more than a word."""
NOT_HEARD = frozenset(
    {
        "you",
        "the",
        "bye",
        "byebye",
        "bye bye",
        "thank you",
        "thank you very much",
        "thank you so much",
        "thanks for watching",
        "thank you for watching",
    }
)
"""What Whisper hears in coughs and noises, having been trained on subtitles."""
STOPS = re.compile(
    r"\b(?:stop|wait|hold on|hang on|excuse me|no|please|sorry|but|listen|quiet|be quiet|shut up"
    r"|not that|help|what)\b"
)
"""Words that take the floor alone."""
TURNS = re.compile(
    r"(?:stop|wait|hold on|hang on|excuse me|listen|be quiet|shut up|please (?:stop|listen)"
    r"|(?:no|sorry|what|quiet)(?=[,.!?]))\b",
    re.IGNORECASE,
)
"""Beginnings of what is said to the one who speaks, and not to go on with what was said before."""
ANSWERS = BACKCHANNELS | frozenset("no nope maybe not i do am".split())
"""Words that answer a question, where they are more than murmurs."""
SURE_FROM = 0.35
"""Mean probability of what was heard from which one word alone counts."""
SHORT_S = 0.8
"""Speech shorter than this is what coughs are as long as."""
SAME_WORDS = 0.75
"""Share of the words that stand in the reply, together and in order, above which it was the reply
itself."""
FEWEST_SAME = 3
"""Two words of a reply may be the answer to it."""
WENT_ON_S = 4.0
"""Silence after the last word beyond which speech is something new."""
WENT_ON_HEARD_S = 3.0
"""Reply heard beyond which speech answers it."""

_NAMED = re.compile(r"\[[^]]*\]|\([^)]*\)|\*[^*]*\*")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+")
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
"""A letter three times in a row: "mmmm"."""


class Verdict(Enum):
    """What to do about speech over a reply."""

    NOT_YET = auto()
    """Listen on."""
    NOTHING = auto()
    """The reply goes on."""
    INTERRUPTION = auto()
    """The reply ends, and the person has the word."""


@dataclass(frozen=True)
class Over:
    """Speech over a reply, as far as it was heard."""

    heard: Heard
    voiced_s: float
    paused: bool
    """Whether it is over, or has paused; else it goes on."""
    spoken: str = ""
    """What the reply says, as far as it was sent."""
    asked: bool = False
    """Whether its question was heard, so that "yes" answers it."""


def verdict(over: Over) -> Verdict:
    """Decides by the words."""
    words = _words(over.heard.text)
    text = " ".join(words)
    if not words or text in NOT_HEARD:
        return Verdict.NOTHING if over.paused or over.voiced_s > 2 else Verdict.NOT_YET
    rest = BACKCHANNEL_PHRASES.sub(" ", text).split()
    if over.asked and set(rest) <= ANSWERS and not set(words) <= MURMURS:
        return Verdict.INTERRUPTION if over.paused else Verdict.NOT_YET
    if is_echo(over.heard.text, over.spoken):
        return Verdict.NOTHING
    own = [word for word in rest if word not in BACKCHANNELS]
    if not own:
        return Verdict.NOTHING if over.paused else Verdict.NOT_YET
    if STOPS.search(text):
        # However short or faint: who says "help" is not asked to say it again.
        return Verdict.INTERRUPTION
    if len(own) > 1:
        return _if_sure(over)
    if not over.paused:
        return Verdict.NOT_YET
    return _if_sure(over)


def _if_sure(over: Over) -> Verdict:
    """Doubts what is as short as a cough and was not clearly heard."""
    certainty = 1.0 if over.heard.certainty is None else over.heard.certainty
    if over.voiced_s < SHORT_S and certainty < SURE_FROM:
        return Verdict.NOTHING if over.paused else Verdict.NOT_YET
    return Verdict.INTERRUPTION


def is_echo(words: str, spoken: str) -> bool:
    """Whether words that were heard are the reply's own, come back through the microphone.

    Words that take the floor, and that the reply does not say, are the person's.
    """
    heard, said = _words(words), _words(spoken)
    if len(heard) < FEWEST_SAME:
        return False
    if STOPS.search(" ".join(word for word in heard if word not in said)):
        return False
    span = len(heard) + len(heard) // 4
    same = (_same(heard, said[first : first + span]) for first in range(len(said)))
    return max(same, default=0) > SAME_WORDS * len(heard)


def _same(heard: list[str], said: list[str]) -> int:
    """Counts the words that stand in both in the same order."""
    matches = SequenceMatcher(None, heard, said, autojunk=False).get_matching_blocks()
    return sum(one.size for one in matches)


def turns_on_reply(words: str) -> bool:
    """Whether words are about the reply that they interrupt, and so no part of what was before."""
    return bool(TURNS.match(words.strip()))


def went_on(silent_s: float, heard_s: float) -> bool:
    """Whether speech goes on with the turn before it, which was taken for over too soon.

    silent_s: since its last word. heard_s: how much of the answer was heard by then.
    """
    return silent_s < WENT_ON_S and heard_s < WENT_ON_HEARD_S


def _words(text: str) -> list[str]:
    """Splits into words of any alphabet; what is in brackets is a noise that was named."""
    said = _NAMED.sub(" ", text.lower()).replace("-", "").replace("’", "'")
    return [_DRAWN_OUT.sub(r"\1\1", word) for word in _WORD.findall(said)]
