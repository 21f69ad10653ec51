"""The sound of one reply: what waits, what was heard, and the way back to the start of a word.

It does not know who speaks over it, or what pulls it.
"""

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from pi_client.fader import RAMP_S
from pi_client.sound import Samples, levels_dbfs, silence

_log = logging.getLogger(__name__)

# Turn and revision: what is older is stale.
Key: TypeAlias = tuple[int, int]

# Lost sound up to this long becomes silence, so that what follows keeps its place in time.
_LONGEST_FILLED_GAP_S = 2.0
# What arrives while this much waits is dropped: no reply is as long.
_LONGEST_WAITING_S = 300.0
# Where a word begins is looked for this far back, in windows of 10 ms.
_LOOK_BACK_S = 0.8
_WINDOWS_A_SECOND = 100
# How long a reply may have been giving way so that it still finds the word.
_GAVE_WAY_S = 0.7
# Between words there are at least 30 ms under one of the two: the level of a quiet room, or
# 20 dB under the loudest tenth of what was said just now.
_GAP_WINDOWS = 3
_GAP_DBFS = -40.0
_GAP_DB = 20.0
_LOUD_PERCENTILE = 90
# Where there is no gap: about a syllable and a half.
_NO_GAP_BACK_S = 0.3


@dataclass(frozen=True)
class Heard:
    """How much of a reply was heard; `complete` means that nothing of it was dropped.

    sample_count of the `arrived` samples left the speaker. It steps back where a reply that
    was held goes on from the start of a word.
    """

    key: Key
    sample_count: int
    arrived: int
    finished: bool
    complete: bool


@dataclass
class Reply:
    """A queue of sound that remembers its last one and a half seconds."""

    key: Key
    sample_rate_hertz: int
    chunks: deque[Samples] = field(default_factory=deque)
    # Samples that came, those that were heard, and those lost in a gap too long to fill.
    arrived: int = 0
    heard: int = 0
    lost: int = 0
    reported: int = 0
    # Whether any of it was ever heard, even if it went back to its start.
    begun: bool = False
    done: bool = False
    whole: bool = False
    # Where it was when it began to give way to a voice.
    mark: int = 0
    _pieces: list[tuple[int, bool]] = field(default_factory=list)
    _past: deque[Samples] = field(default_factory=deque)

    @property
    def protected(self) -> bool:
        """Whether the sentence that plays now, or begins, is one that noise must not stop."""
        now = False
        for first_sample, protected in self._pieces:
            if first_sample <= self.heard:
                now = protected
        return now

    def add_piece(self, first_sample: int, protected: bool) -> None:
        """Notes from where on the reply is protected, or no more. Pieces come in order."""
        self._pieces.append((first_sample - self.lost, protected))

    def add(self, first_sample: int, samples: Samples) -> None:
        """Takes sound as it comes. first_sample: its place in the reply.

        Lost sound becomes silence, what came twice is left out, and too much is dropped.
        """
        samples = self._placed(first_sample, samples)
        waiting = sum(map(len, self.chunks)) + len(samples)
        if waiting > _LONGEST_WAITING_S * self.sample_rate_hertz:
            _log.warning("Reply sound was dropped: more than %.0f s waited.", _LONGEST_WAITING_S)
        elif len(samples):
            self.chunks.append(samples)
            self.arrived += len(samples)

    def take(self, into: Samples) -> int:
        """Moves what there is into `into` and returns how many samples that was."""
        filled = 0
        while filled < len(into) and self.chunks:
            chunk = self.chunks.popleft()
            count = min(len(chunk), len(into) - filled)
            into[filled : filled + count] = chunk[:count]
            self._past.append(chunk[:count])
            if count < len(chunk):
                self.chunks.appendleft(chunk[count:])
            filled += count
        self.heard += filled
        self.begun = self.begun or filled > 0
        self._forget()
        return filled

    def rewind(self) -> None:
        """Goes back to the start of the word that was being said at `mark`."""
        if not self._past:
            return
        past = np.concatenate(self._past)
        rate = self.sample_rate_hertz
        since_mark = min(self.heard - self.mark, int(_GAVE_WAY_S * rate))
        at_mark = past[: max(len(past) - since_mark, 0)]
        begin = word_begin(at_mark, rate, from_start=len(past) == self.heard)
        self.chunks.appendleft(past[begin:])
        self.heard -= len(past) - begin
        self._past = deque([past[:begin]])

    def told(self, finished: bool) -> Heard:
        """Says how much of it was heard."""
        self.reported = self.heard
        complete = finished and self.whole and self.heard >= self.arrived
        return Heard(self.key, self.heard, self.arrived, finished, complete)

    def _placed(self, first_sample: int, samples: Samples) -> Samples:
        gap = first_sample - self.arrived - self.lost
        if gap <= 0:
            return samples[-gap:]
        _log.warning("%d samples of a reply were lost on the way.", gap)
        if gap <= _LONGEST_FILLED_GAP_S * self.sample_rate_hertz:
            return np.concatenate([silence(gap), samples])
        self.lost += gap
        return samples

    def _forget(self) -> None:
        kept = int((_LOOK_BACK_S + _GAVE_WAY_S) * self.sample_rate_hertz)
        count = sum(map(len, self._past))
        while self._past and count - len(self._past[0]) >= kept:
            count -= len(self._past.popleft())


def word_begin(past: Samples, sample_rate_hertz: int, from_start: bool) -> int:
    """Returns the place in `past` where the word begins that its end lies in.

    It is the end of the nearest quiet gap, less a ramp, which fits into the gap. Where there
    is no gap it is the reply's beginning, if that is near, or else 0.3 s back.
    from_start: whether `past` is all that was said.
    """
    window = max(sample_rate_hertz // _WINDOWS_A_SECOND, 1)
    looked_at = int(_LOOK_BACK_S * sample_rate_hertz) // window * window
    # Windows are counted from the end, where the word is.
    levels = levels_dbfs(past[len(past) % window :], window)
    near = levels[-(looked_at // window) :]
    if len(near) >= _GAP_WINDOWS:
        loud = float(np.percentile(levels, _LOUD_PERCENTILE))
        quiet = near < max(_GAP_DBFS, loud - _GAP_DB)
        gaps = np.lib.stride_tricks.sliding_window_view(quiet, _GAP_WINDOWS).all(axis=1)
        if gaps.any():
            last = int(np.flatnonzero(gaps)[-1]) + _GAP_WINDOWS
            end = len(past) - (len(near) - last) * window
            return end - int(RAMP_S * sample_rate_hertz)
    if from_start and len(past) <= looked_at:
        return 0
    return max(len(past) - int(_NO_GAP_BACK_S * sample_rate_hertz), 0)
