"""Sound as the client handles it, and its change of rate; it knows no devices and no files."""

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

# int16, shape (n,), mono.
Samples: TypeAlias = NDArray[np.int16]

# What the server hears.
SAMPLE_RATE_HERTZ = 16000
# Samples of one message. 32 ms, the window by which the server judges: a person waits for half a
# block until their last word is sent, and for another until the answer is pulled. A message costs
# about 0.3 ms of processor however small it is.
BLOCK_SAMPLES = 512
BLOCK_S = BLOCK_SAMPLES / SAMPLE_RATE_HERTZ

_FULL_SCALE = 32768.0
# Added to the power of a window, so that silence has a level, too: -90 dBFS, one step of int16.
_LEAST_POWER = 1.0


def silence(count: int) -> Samples:
    """Returns `count` samples of nothing."""
    return np.zeros(count, dtype=np.int16)


def to_int16(samples: NDArray[np.float32]) -> Samples:
    """Turns float32 in [-1, 1] into int16; what lies outside is clipped."""
    scaled: NDArray[np.float32] = np.rint(samples * 32768.0)
    return np.clip(scaled, -32768, 32767).astype(np.int16)


def levels_dbfs(samples: Samples, window: int) -> NDArray[np.float32]:
    """Returns the level of every whole window of `window` samples, in dB of full scale.

    It is the RMS about the window's own mean, so a DC offset has no level; a full square wave
    has 0 dBFS, silence -90.
    """
    whole = len(samples) // window * window
    windows = samples[:whole].reshape(-1, window).astype(np.float32)
    windows -= windows.mean(axis=1, keepdims=True)
    power = np.einsum("ij,ij->i", windows, windows) / window
    levels: NDArray[np.float32] = 10 * np.log10((power + _LEAST_POWER) / _FULL_SCALE**2)
    return levels


class Loudest:
    """Keeps the level of the loudest 8 ms of a stream until it is asked for.

    Half as long as the windows in which a voice is looked for: an echo that lies across two
    of those is no louder for it.
    """

    def __init__(self) -> None:
        self._level_dbfs = -math.inf
        self._rest = silence(0)

    def add(self, samples: Samples, sample_rate_hertz: int) -> None:
        """Takes the next samples; what fills no window waits for those that follow."""
        window = max(sample_rate_hertz // 125, 1)
        samples = np.concatenate([self._rest, samples])
        levels = levels_dbfs(samples, window)
        if len(levels):
            self._level_dbfs = max(self._level_dbfs, float(levels.max()))
        self._rest = samples[len(levels) * window :]

    def take(self) -> float:
        """Returns the level in dBFS, and begins anew. -inf: there was no window."""
        level, self._level_dbfs = self._level_dbfs, -math.inf
        return level


class RateChange:
    """Changes the rate of a stream of sound piece by piece, without seams.

    The sinc filter of libsamplerate, its fastest: 97 dB of signal to noise, which is more
    than speech needs, for about a hundredth of a core.
    """

    def __init__(self, from_hertz: int, to_hertz: int) -> None:
        self._ratio = to_hertz / from_hertz
        self._resampler: Any = None
        if from_hertz != to_hertz:
            # Imported where it is needed: a 16 kHz recording does without it.
            import samplerate

            self._resampler = samplerate.Resampler("sinc_fastest", channels=1)

    def change(self, samples: NDArray[np.float32], last: bool = False) -> NDArray[np.float32]:
        """Returns what can be given out by now; `last` gives out the rest.

        samples: float32, shape (n,), in [-1, 1]. The answer has the same form and the other
        rate; its length varies around n times the ratio.
        """
        if self._resampler is None:
            return samples
        changed: NDArray[np.float32] = self._resampler.process(samples, self._ratio, last)
        return changed

    def change_int16(self, samples: Samples) -> Samples:
        """Does the same for int16."""
        if self._resampler is None:
            return samples
        return to_int16(self.change(samples.astype(np.float32) / 32768.0))
