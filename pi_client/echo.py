"""Takes out of the microphone what the speaker plays; it does not know where either comes from.

Without it the server hears its own voice and interrupts itself.
"""

import threading
from typing import Any

import numpy as np

from pi_client.sound import SAMPLE_RATE_HERTZ, RateChange, Samples, silence

# WebRTC's canceller takes 10 ms a call.
_STEP_SAMPLES = 160
# First guess of the way from the speaker's queue to the microphone's; it corrects itself.
_DELAY_MS = 40
# The two cards' clocks drift apart; beyond this much that waits the oldest goes.
_MOST_WAITING_SAMPLES = SAMPLE_RATE_HERTZ * 3 // 10


class EchoPath:
    """Holds what is played until the microphone hears it, and subtracts it there.

    Adds 10 ms of delay, because the canceller's steps do not divide a block.
    """

    def __init__(self) -> None:
        # Imported where it is needed: recordings have no echo.
        import pywebrtc_audio

        self._canceller: Any = pywebrtc_audio.EchoCanceller(SAMPLE_RATE_HERTZ, 1, _DELAY_MS)
        self._lock = threading.Lock()
        self._rate = RateChange(SAMPLE_RATE_HERTZ, SAMPLE_RATE_HERTZ)
        self._far = silence(0)
        self._near = silence(0)
        self._clean = silence(_STEP_SAMPLES)

    def plays_at(self, sample_rate_hertz: int) -> None:
        """Says at which rate `played` gets its sound from now on."""
        self._rate = RateChange(sample_rate_hertz, SAMPLE_RATE_HERTZ)

    def played(self, samples: Samples) -> None:
        """Takes what goes to the speaker now, silence included. Any thread may call."""
        changed = self._rate.change_int16(samples)
        with self._lock:
            self._far = np.concatenate([self._far, changed])[-_MOST_WAITING_SAMPLES:]

    def clean(self, near: Samples) -> Samples:
        """Returns as many samples as the microphone gave, without what was played."""
        self._near = np.concatenate([self._near, near])
        steps = len(self._near) // _STEP_SAMPLES
        far = self._take_far(steps * _STEP_SAMPLES)
        cleaned = [self._clean]
        for step in range(steps):
            part = slice(step * _STEP_SAMPLES, (step + 1) * _STEP_SAMPLES)
            cleaned.append(np.asarray(self._canceller.process(self._near[part], far[part])))
        self._near = self._near[steps * _STEP_SAMPLES :]
        whole = np.concatenate(cleaned).astype(np.int16)
        self._clean = whole[len(near) :]
        return whole[: len(near)]

    def _take_far(self, count: int) -> Samples:
        with self._lock:
            taken, self._far = self._far[:count], self._far[count:]
        return np.pad(taken, (0, count - len(taken)))
