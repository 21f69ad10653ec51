"""How long to wait in a pause before it counts as the end; pure, it knows no engine.

Two errors stand against each other: an answer that comes late, and a person who is cut off. What
tells an end from a pause is judged together: the words, the punctuation that the recogniser
hears, and how the voice fades. Then comes the person: who pauses long, hesitates, is sad or in
danger is given more time.
"""

import math
import re
from collections import deque
from dataclasses import dataclass

import numpy as np

from server.engines import SAMPLE_RATE_HERTZ, Heard, Samples

UNKNOWN_S = 0.8
"""Silence that ends a turn where the recogniser tells nothing of its sentence; the unit of the
setting `conversation.end_of_turn_s`, by which all that follow grow and shrink."""
SURE_S = 0.52
"""Where the sentence is surely over. Shorter pauses lie between the phrases of one breath."""
LIKELY_S = 1.3
"""Where it is likely over, or the voice fell: longer than most pauses for breath."""
UNSURE_S = 2.2
"""Where it could be over by its words, but the voice did not fall as at an end."""
OPEN_S = 3.4
"""Where it cannot be over, and where the voice stopped in mid-phrase."""
SURE_FROM, LIKELY_FROM = 0.78, 0.35
"""Probability of an end from which it counts as sure, and as likely. Of 74 pauses in 18 sentences
that nothing was fitted to, none was called sure and 9 likely; of their 36 ends 33 and 3."""
OPEN_BELOW = 0.2
"""Probability below which a voice that broke off, without a comma, stopped in mid-phrase."""
COMMA_FROM = 0.12
"""Probability of a comma from which at least a phrase was ended."""
BROKEN_OFF_DB = 12.0
"""A voice that fades less than this broke off; one that fades more fell, as at an end."""
FADE_FRAME = SAMPLE_RATE_HERTZ // 100
FADE_FRAMES = 20
"""The last 0.2 s of a voice show whether it fades out (an end) or breaks off (in mid-phrase)."""
FADE_FLOOR_DB = 35.0
"""Sound this far below the loudest is not voice any more."""
FADE_RANGE_DB = (3.0, 25.0)
FADE_UNKNOWN_DB = 12.0
"""Between the two, for sound too noisy to tell."""
MOST_CAUTION = 3
"""Wrong guesses that count; each adds CAUTION_S to what is waited where all seems over."""
CAUTION_S = 0.3
HESITANT_S, MOST_HESITANT = 0.5, 2
"""Added for each "um" in words that could be the end, up to two."""
TROUBLED = 1.3
"""How many times as long to wait for somebody who looks sad or afraid, or may be in danger."""
HABIT_S = 0.4
"""Added to the person's own long pauses where it is not clear whether they are done."""
LONGEST_HABIT_S = 2.5
PACES = {"slow": 1.6, "normal": 1.0, "quick": 0.85}

_OPEN_END = re.compile(
    r"^(?:well|anyway|actually|honestly|you know|i mean)$"
    r"|(?:^|\s)(?:a|an|the|and|or|but|because|so|if|when|while|who|which|than|as|at|by|for"
    r"|from|in|into|of|on|to|with|without|although|unless|until|whether|during|between|after"
    r"|before|since|not|being|(?:and|but|because|if|when|so) (?:it|you|this|that)|my|our|your"
    r"|their|his|i|he|she|we|they|(?:i|you|he|she|we|they)'d|\w+'(?:m|ll|re|ve)"
    r"|(?:he|she|it|that|there|what|who|here|how|where)'s|every|very|just|um+|uh+|er|erm+"
    r"|feel like|is|was|were|are|am|be|been|had|not sure|about the|such|like)$"
)
"""Words that a sentence seldom ends with, and those that only begin one."""
_CLOSED_END = re.compile(
    r"(?:^|\s)(?:(?:think|hope|guess|suppose|believe|say|says|said) so"
    r"|(?:go|going|carry|move|hold) on"
    r"|^(?:yes|yeah|no),? (?:i|he|she|it|we|they|that) (?:is|was|am|are|were|had))$"
)
"""Endings of the same words that it does end with."""
_HESITATION = re.compile(r"\b(?:um+|uh+|er+|erm+|hmm+)\b")


@dataclass(frozen=True)
class Pause:
    """What is known when a person pauses."""

    heard: Heard
    fade_db: float = FADE_UNKNOWN_DB
    """How far the end of their voice lies below its loudest; see `fade_db`."""


def fade_db(sound: Samples) -> float:
    """Measures how far a voice fades out before it ends, in decibels.

    sound: an utterance at SAMPLE_RATE_HERTZ, silence after it included. The mean level of the
    last 0.2 s that are above FADE_FLOOR_DB, below the level that a tenth of the sound exceeds.
    Somebody who stops in mid-phrase breaks off at full voice. On 131 pauses cut into fluent
    speech (seven recordings, 22 spoken sentences) and 41 ends the medians were 7 and 20 dB.
    """
    count = len(sound) // FADE_FRAME
    if count < FADE_FRAMES:
        return FADE_UNKNOWN_DB
    frames = sound[: count * FADE_FRAME].reshape(count, FADE_FRAME).astype(np.float64)
    levels = 10 * np.log10(np.var(frames, axis=1) + 1e-10)
    top, rest = np.quantile(levels, 0.9), np.quantile(levels, 0.05)
    if top - rest < FADE_FLOOR_DB / 2:
        return FADE_UNKNOWN_DB
    floor = max(top - FADE_FLOOR_DB, rest + 6)
    last = int(np.flatnonzero(levels > floor)[-1]) + 1
    return float(top - levels[max(0, last - FADE_FRAMES) : last].mean())


def end_probability(pause: Pause) -> float | None:
    """Gives the probability that a person who pauses is done, in [0, 1].

    None where the recogniser does not judge its sentences. A logistic regression over the
    full stop that the recogniser hears and the fading of the voice, fitted to the sounds named
    at `fade_db`, each left out once; an acoustic end-of-turn model (Smart Turn 3.2) beside the
    two moved none of its quantiles by more than 0.03 and was left out.
    """
    if pause.heard.ends is None:
        return None
    low, high = FADE_RANGE_DB
    fade = min(max(pause.fade_db, low), high)
    score = -3.32 + 1.29 * math.log(pause.heard.ends + 0.02) + 0.297 * fade
    return 1 / (1 + math.exp(-score))


def is_open(words: str) -> bool:
    """Whether a sentence cannot end with these words.

    A recogniser ends everything with a full stop, so the last word counts, not the stop; three
    dots or a dash are its signs for more to come.
    """
    said = words.strip().lower()
    if said.endswith("?"):
        return False
    if said.endswith(("...", "…", "-", "–", "—")):
        return True
    said = said.rstrip(".!,").replace("’", "'")
    return bool(_OPEN_END.search(said)) and not _CLOSED_END.search(said)


def _breaks_off(pause: Pause) -> bool:
    return pause.heard.goes_on < COMMA_FROM and pause.fade_db < BROKEN_OFF_DB


class Patience:
    """How patient to be with one person, in this session.

    normal_s: the setting `conversation.end_of_turn_s`. pace: a name of PACES.
    """

    def __init__(self, normal_s: float, pace: str = "normal") -> None:
        self._scale = PACES[pace] * normal_s / UNKNOWN_S
        self._bridged: deque[float] = deque(maxlen=8)
        self._caution = 0
        self.troubled = False
        """Whether they look sad or afraid, or may be in danger."""

    def first_s(self) -> float:
        """What is waited while the words are not known yet: nobody is answered unheard."""
        return self._scale * OPEN_S

    def seconds(self, pause: Pause) -> float:
        """Gives how much silence ends the turn."""
        words = pause.heard.text
        probability = end_probability(pause)
        if not words:
            base = UNKNOWN_S
        elif is_open(words):
            base = OPEN_S
        elif probability is None:
            base = UNKNOWN_S * (2.75 if words.rstrip().endswith(",") else 1)
        elif probability >= SURE_FROM:
            base = SURE_S
        elif probability >= LIKELY_FROM or pause.fade_db >= BROKEN_OFF_DB:
            base = LIKELY_S
        elif probability < OPEN_BELOW and _breaks_off(pause):
            base = OPEN_S
        else:
            base = UNSURE_S
        return self._for_this_person(base, words)

    def _for_this_person(self, base: float, words: str) -> float:
        seconds = base * self._scale * (TROUBLED if self.troubled else 1)
        seconds += CAUTION_S * min(self._caution, MOST_CAUTION)
        if base < OPEN_S:
            seconds += HESITANT_S * min(len(_HESITATION.findall(words.lower())), MOST_HESITANT)
        if base >= LIKELY_S and self._bridged:
            habit = float(np.quantile(self._bridged, 0.8)) + HABIT_S
            seconds = max(seconds, min(habit, LONGEST_HABIT_S))
        return seconds

    def went_on(self, pause_s: float, taken_for_over: bool) -> None:
        """Takes note of a pause that was none. taken_for_over: they were answered in it."""
        self._bridged.append(pause_s)
        if taken_for_over:
            self._caution = min(self._caution + 1, MOST_CAUTION)

    def was_over(self) -> None:
        """Takes note of a turn that ended where it was taken to end."""
        self._caution = max(self._caution - 1, 0)
