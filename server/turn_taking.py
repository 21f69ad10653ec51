"""The decisions of turn-taking: has speech begun, is the turn over; pure, it knows no engine.

Time is the count of samples heard. What goes in is one probability of speech for each
window of VOICE_WINDOW samples; what comes out is what changed.
"""

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
MARGIN = SAMPLE_RATE_HERTZ * 3 // 10
"""Samples (0.3 s) kept before the onset, so that the first consonant is heard."""


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
        self._patience = round(end_of_turn_s * SAMPLE_RATE_HERTZ / VOICE_WINDOW)
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
        self._recent = []
