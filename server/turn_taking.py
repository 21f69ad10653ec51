"""The decisions of turn-taking: has speech begun, is the turn over; pure, it knows no engine.

Time is the count of samples heard. What goes in is one probability of speech for each
window of VOICE_WINDOW samples; what comes out is what changed.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from server.engines import SAMPLE_RATE_HERTZ, VOICE_WINDOW, Samples

SPEECH = 0.5
"""Probability from which a window counts as speech: Silero's own recommendation."""
SILENCE = 0.35
"""Probability below which a window counts as silence; between the two, as before it."""
ONSET_WINDOWS = 6
"""Windows of speech (192 ms) within the last ONSET_SPAN that make a beginning: a cough or a
click is shorter, "no" is longer."""
ONSET_SPAN = 9
"""So many windows in a row (288 ms) also make one where most are in doubt, as in a hall."""
AGAIN_WINDOWS = 2
"""Voiced windows in a row (64 ms) that end a pause: a click or a breath is one."""
MARGIN = SAMPLE_RATE_HERTZ * 3 // 10
"""Samples (0.3 s) kept before the onset, so that the first consonant is heard."""


FAR_DB = 24.0
"""Level below the person's own from which a voice is far away; a whisper lies 15 to 20 below."""
MOST_REFUSED = 20
"""Beginnings of far speech, some 10 s of it, after which the person may be the one who is far."""
LEVEL_FRAME = SAMPLE_RATE_HERTZ // 50


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

    def __init__(self, patience_s: float, max_utterance_s: float) -> None:
        """patience_s: how much silence ends an utterance, unless `wait_for` says other."""
        self._patience = self._normal_patience = _windows(patience_s)
        self._longest = round(max_utterance_s * SAMPLE_RATE_HERTZ)
        self._recent: list[float] = []
        self._position = 0
        self._silent = 0
        self._start = 0
        self._last_voiced = 0
        self._floor = self._ended = 0
        self._bridged = self._voiced = self._again = 0
        self.speaking = False
        """Whether an utterance is open."""

    @property
    def start(self) -> int:
        """First sample of the newest utterance, margin included; never inside the one before."""
        return max(self._floor, self._start - MARGIN)

    @property
    def silent_windows(self) -> int:
        """Windows of silence since the last voiced one; 0 where nobody is speaking."""
        return self._silent if self.speaking else 0

    @property
    def bridged_s(self) -> float:
        """Length of the newest pause that the person went on after, in seconds."""
        return self._bridged * VOICE_WINDOW / SAMPLE_RATE_HERTZ

    @property
    def voiced_s(self) -> float:
        """How long the newest utterance was voiced, in seconds."""
        return self._voiced * VOICE_WINDOW / SAMPLE_RATE_HERTZ

    @property
    def position(self) -> int:
        """Samples judged so far."""
        return self._position

    def wait_for(self, patience_s: float) -> None:
        """Sets how much silence ends the utterance that is open; the next one begins anew."""
        self._patience = _windows(patience_s)

    @property
    def last_voiced(self) -> int:
        """Sample after the last voiced one."""
        return self._last_voiced

    def feed(self, probability: float) -> Change | None:
        """Takes the next window and says what it changed; None: nothing."""
        self._position += VOICE_WINDOW
        if self.speaking:
            return self._in_speech(probability >= (SPEECH if self._silent else SILENCE))
        return self._in_silence(probability)

    def _in_silence(self, probability: float) -> Change | None:
        before = self._recent[-1] if self._recent else 0.0
        audible = probability >= (SILENCE if before else SPEECH)
        self._recent = [*self._recent, probability if audible else 0.0][-ONSET_SPAN:]
        heard = [index for index, one in enumerate(self._recent) if one]
        sure = sum(one >= SPEECH for one in self._recent)
        if sure < ONSET_WINDOWS and len(heard) < ONSET_SPAN:
            return None
        self._last_voiced = self._position
        self._floor = self._ended
        self._start = self._position - (len(self._recent) - heard[0]) * VOICE_WINDOW
        self.speaking = True
        self._silent = 0
        self._voiced = len(heard)
        return Change("started", self._start)

    def _in_speech(self, voiced: bool) -> Change | None:
        self._voiced += voiced
        self._again = self._again + 1 if voiced else 0
        if voiced and (not self._silent or self._again >= AGAIN_WINDOWS):
            if self._silent:
                self._bridged = self._silent - self._again + 1
            self._silent = 0
            self._last_voiced = self._position
        else:
            self._silent += 1
        # A voiced window may be the first of more: the next one tells.
        if self._silent >= self._patience and not voiced:
            self._end()
            return Change("over", self._last_voiced)
        if self._position - self._start >= self._longest:
            self._end()
            return Change("cut", self._position)
        return None

    def drop(self) -> None:
        """Forgets the utterance that is open, as if nobody had spoken."""
        if self.speaking:
            self._end()

    def _end(self) -> None:
        self.speaking = False
        self._ended = self._position
        self._patience = self._normal_patience
        self._recent = []


class Nearness:
    """Tells the person from voices far away, a television or the next room, by their level."""

    def __init__(self) -> None:
        self._own_db: float | None = None
        self._refused = 0

    def is_far(self, level_db: float) -> bool:
        """Whether speech is far quieter than the person's own.

        The more is refused while they are silent, the less it is trusted: they may have moved.
        """
        if self._own_db is None:
            return False
        far = level_db < self._own_db - FAR_DB
        self._refused += far
        if self._refused > MOST_REFUSED:
            self._own_db -= FAR_DB / 2
            self._refused = 0
        return far

    def spoke(self, level_db: float) -> None:
        """Takes the level of what the person said, in decibels of full scale."""
        self._refused = 0
        own = level_db if self._own_db is None else self._own_db
        self._own_db = max(own + (level_db - own) / 3, level_db)


def level_db(sound: Samples) -> float:
    """Measures how loud a voice is: the level that a tenth of its 20 ms frames exceed, in dB."""
    count = len(sound) // LEVEL_FRAME
    if not count:
        return -100.0
    frames = sound[: count * LEVEL_FRAME].reshape(count, LEVEL_FRAME).astype(np.float64)
    return float(np.quantile(10 * np.log10(np.var(frames, axis=1) + 1e-10), 0.9))
