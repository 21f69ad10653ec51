"""The decisions of turn-taking: has speech begun, is the turn over; pure, it knows no engine.

Time is the count of samples heard. What goes in is one probability of speech for each
window of VOICE_WINDOW samples; what comes out is what changed.
"""

import re
from dataclasses import dataclass
from typing import Literal

from server.engines import SAMPLE_RATE_HERTZ, VOICE_WINDOW

SPEECH = 0.5
"""Probability from which a window counts as speech: Silero's own recommendation."""
SILENCE = 0.35
"""Probability below which a window counts as silence; between the two, as before it."""
ONSET_WINDOWS = 6
"""Windows of speech (192 ms) within the last ONSET_SPAN that make a beginning: a cough or a
click is shorter, "no" is longer."""
ONSET_SPAN = 9
PAUSE_WINDOWS = 7
"""Windows of silence (224 ms) from which the words may be looked at: pauses between words are
shorter."""
UNFINISHED_PATIENCE = 2.75
"""How many times as long to wait where the words cannot be the end: 2.2 s instead of 0.8."""
MARGIN = SAMPLE_RATE_HERTZ * 3 // 10
"""Samples (0.3 s) kept before the onset, so that the first consonant is heard."""


_OPEN_END = re.compile(
    r"(?:^|\s)(?:a|an|the|and|or|but|because|so|if|when|while|who|which|than|as|at|by|for|from|in"
    r"|into|of|on|to|with|without|my|our|your|their|his|i|i'm|i'd|i'll|i've|he|she|we|they|it's"
    r"|every|very|just|um|uh|feel like)$"
)
"""Words that a sentence seldom ends with."""


def patience_for(words: str, normal_s: float) -> float:
    """Gives how much silence ends a turn, seconds, judging by its words so far.

    A recogniser ends everything with a full stop, so the last word counts, not the stop;
    three dots, a comma or a dash are its signs for more to come.
    """
    said = words.strip().lower()
    goes_on = said.endswith(("...", "…", ",", "-", "–"))
    open_end = not said.endswith("?") and _OPEN_END.search(said.rstrip(".!"))
    return normal_s * UNFINISHED_PATIENCE if goes_on or open_end else normal_s


def _windows(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HERTZ / VOICE_WINDOW)


@dataclass(frozen=True)
class Change:
    """Something that turn-taking decided.

    started: speech began; `at` is its first sample. over: the turn ended; `at` is the sample
    after the last voiced one. cut: speech went on for too long and is answered up to here.
    """

    kind: Literal["started", "over", "cut"]
    at: int


class TurnTaking:
    """Follows one person's speech. Feed it windows in order."""

    def __init__(self, end_of_turn_s: float, max_utterance_s: float) -> None:
        self._patience = self._normal_patience = _windows(end_of_turn_s)
        self._longest = round(max_utterance_s * SAMPLE_RATE_HERTZ)
        self._recent: list[bool] = []
        self._position = 0
        self._silent = 0
        self._start = 0
        self._last_voiced = 0
        self._floor = self._ended = 0
        self.speaking = False
        """Whether an utterance is open."""

    @property
    def start(self) -> int:
        """First sample of the newest utterance, margin included; never inside the one before."""
        return max(self._floor, self._start - MARGIN)

    @property
    def pausing(self) -> bool:
        """Whether speech has paused for PAUSE_WINDOWS: it may be over."""
        return self.speaking and self._silent >= PAUSE_WINDOWS

    def wait_for(self, patience_s: float) -> None:
        """Sets how much silence ends the utterance that is open; the next one begins anew."""
        self._patience = _windows(patience_s)

    @property
    def last_voiced(self) -> int:
        """Sample after the last voiced one."""
        return self._last_voiced

    def feed(self, probability: float) -> Change | None:
        """Takes the next window and says what it changed; None: nothing."""
        voiced = probability >= (SILENCE if self.speaking and not self._silent else SPEECH)
        self._position += VOICE_WINDOW
        if voiced:
            self._last_voiced = self._position
        self._recent = [*self._recent, voiced][-ONSET_SPAN:]
        return self._in_speech(voiced) if self.speaking else self._in_silence()

    def _in_silence(self) -> Change | None:
        if sum(self._recent) < ONSET_WINDOWS:
            return None
        self._floor = self._ended
        first = self._recent.index(True)
        self._start = self._position - (len(self._recent) - first) * VOICE_WINDOW
        self.speaking = True
        self._silent = 0
        return Change("started", self._start)

    def _in_speech(self, voiced: bool) -> Change | None:
        self._silent = 0 if voiced else self._silent + 1
        if self._silent >= self._patience:
            self._end()
            return Change("over", self._last_voiced)
        if self._position - self._start >= self._longest:
            self._end()
            return Change("cut", self._position)
        return None

    def _end(self) -> None:
        self.speaking = False
        self._ended = self._position
        self._patience = self._normal_patience
        self._recent = []
