"""A gain that changes without clicks; it does not know why it changes."""

import math

import numpy as np

from pi_client.sound import Samples

# A gain goes to another one in this long: shorter ways click.
RAMP_S = 0.02


class Fader:
    """Moves a gain in [0, 1] along straight lines, each 20 ms long."""

    def __init__(self) -> None:
        self.gain = self._wanted = 1.0
        self._step = 0.0

    def jump(self, gain: float) -> None:
        """Stands at a gain from now on."""
        self.gain = self._wanted = gain

    def aim(self, gain: float, sample_rate_hertz: int) -> None:
        """Goes to a gain from where it is; saying it again changes nothing."""
        if gain != self._wanted:
            self._wanted = gain
            self._step = abs(gain - self.gain) / (RAMP_S * sample_rate_hertz)

    @property
    def samples_left(self) -> int:
        """How many samples the way takes that is left."""
        way = abs(self._wanted - self.gain)
        return math.ceil(way / self._step) if way else 0

    def shape(self, samples: Samples) -> None:
        """Multiplies the next samples in place."""
        if self.gain == self._wanted == 1.0 or not len(samples):
            return
        way = np.arange(1, len(samples) + 1) * self._step
        if self.gain > self._wanted:
            gains = np.maximum(self.gain - way, self._wanted)
        else:
            gains = np.minimum(self.gain + way, self._wanted)
        self.gain = float(gains[-1])
        samples[:] = samples * gains
