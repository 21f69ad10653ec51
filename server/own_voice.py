"""Tells the reply's own sound when it comes back through the microphone; it knows no words.

The sound of the newest reply is kept in memory while it may come back, and nowhere else.
"""

import numpy as np

from server.engines import SAMPLE_RATE_HERTZ, Samples

KEPT_S = 120.0
"""Sound of the reply that is kept: most are sent long before they are played."""
BEFORE_S, AFTER_S = 3.0, 1.5
"""What is compared of it, around the place that plays: the client tells of it twice a second."""
LONG_S = 1.5
"""Sound from which likeness is sure."""
LIKE_FROM_LONG, LIKE_FROM = 0.35, 0.7
"""Peak of the normalised cross-correlation from which a sound is the reply's own: where there are
LONG_S of it, and where there is less. Measured between a spoken reply and recordings of others, it
stays under 0.2 in windows of 2 s and under 0.67 in windows of 0.4 s; the echo of a small room
reaches 0.45 to 0.54 at the median."""
QUIETEST = 1e-3
"""Energy below which a stretch of the reply is silence, and like nothing."""
SHORTEST = SAMPLE_RATE_HERTZ // 5


class OwnVoice:
    """What the loudspeaker may be playing."""

    def __init__(self, rate_hertz: int) -> None:
        self._rate = rate_hertz
        self._sound: Samples = np.zeros(0, np.float32)
        self._forgotten = 0

    def said(self, pcm: bytes) -> None:
        """Takes the next sound of a reply, as it is sent."""
        if not pcm:
            return
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
        # Linear interpolation is enough: what is compared lies far below half of either rate.
        count = int(len(samples) * SAMPLE_RATE_HERTZ / self._rate)
        places = np.arange(count) * (self._rate / SAMPLE_RATE_HERTZ)
        heard = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
        self._sound = np.concatenate([self._sound, heard])
        surplus = max(0, len(self._sound) - int(KEPT_S * SAMPLE_RATE_HERTZ))
        self._sound = self._sound[surplus:]
        self._forgotten += surplus

    def silence(self) -> None:
        """Forgets what was said: it was heard, or dropped."""
        self._sound = self._sound[:0]
        self._forgotten = 0

    def likeness(self, heard: Samples, playing: int | None = None) -> float:
        """Compares a sound with what was said, at every shift; in [0, 1].

        heard: shape (n,), SAMPLE_RATE_HERTZ. playing: sample of the reply, at its own rate, that
        plays now; None: all of it is compared. The peak of the cross-correlation over the norms
        of the two, that is, the share of the sound's amplitude that a delayed copy explains.
        """
        count = len(heard)
        if count < SHORTEST or not len(self._around(playing)):
            return 0.0
        # What is heard may begin before the reply did, or end after it.
        said = np.pad(self._around(playing), count)
        heard = heard - heard.mean()
        size = 1 << (len(said) + count - 1).bit_length()
        spectrum = np.fft.rfft(said, size) * np.conj(np.fft.rfft(heard, size))
        products = np.fft.irfft(spectrum, size)[: len(said) - count + 1]
        squares = np.concatenate([[0.0], np.cumsum(said.astype(np.float64) ** 2)])
        norms = np.sqrt(np.maximum(squares[count:] - squares[:-count], QUIETEST))
        own = float(np.linalg.norm(heard))
        return float(np.max(np.abs(products) / norms) / own) if own > 0 else 0.0

    def _around(self, playing: int | None) -> Samples:
        if playing is None:
            return self._sound
        place = playing / self._rate - self._forgotten / SAMPLE_RATE_HERTZ
        begin = max(0, int((place - BEFORE_S) * SAMPLE_RATE_HERTZ))
        return self._sound[begin : max(0, int((place + AFTER_S) * SAMPLE_RATE_HERTZ))]

    def comes_back(self, heard: Samples, playing: int | None = None) -> bool:
        """Whether a sound is what was said, come back."""
        long = len(heard) >= LONG_S * SAMPLE_RATE_HERTZ
        return self.likeness(heard, playing) >= (LIKE_FROM_LONG if long else LIKE_FROM)
