"""Hears by level alone whether somebody speaks; it knows no words and no model.

Its clock is the count of the microphone's samples.
"""

from collections import deque

import numpy as np

from pi_client.sound import BLOCK_S, SAMPLE_RATE_HERTZ, Samples, levels_dbfs

# 16 ms: one or two periods of a deep voice, and half a block.
_FRAME_SAMPLES = 256
# Voice is in 2 of the last 4 frames, and in 3 of their 8 halves: what is shorter than a half,
# such as a click, does not do it even where it lies across two frames.
_RECENT_FRAMES = 4
_RECENT_SAMPLES = _RECENT_FRAMES * _FRAME_SAMPLES
_FEWEST_FRAMES = 2
_FEWEST_HALVES = 3
# A voice at arm's length is 20 dB louder; quieter ones the server notices.
_LEAST_DBFS = -50.0
# The room's noise: the tenth percentile of 2.2 s. What is steady fills nine tenths of it in
# 2 s; what is said leaves more than a tenth of the time free, between words.
_FLOOR_FRAMES = round(2.2 * SAMPLE_RATE_HERTZ / _FRAME_SAMPLES)
_FLOOR_INDEX = _FLOOR_FRAMES // 10
_ABOVE_FLOOR_DB = 9.0
# What the room is taken for before it was heard: quiet, so that the first word is one.
_UNHEARD_ROOM_DBFS = -65.0
# What is left of the own playback is at least this much quieter than it, and comes within
# 320 ms (the room, the sound card and the canceller together).
_BELOW_PLAYED_DB = 10.0
_PLAYED_BLOCKS = round(0.32 / BLOCK_S)
# Pauses up to this long belong to one stretch of speech.
STRETCH_ENDS_SAMPLES = round(0.3 * SAMPLE_RATE_HERTZ)
# A stretch lasts when it is 200 ms old and had voice in 60 % of its last 13 frames (208 ms).
_LASTING_SAMPLES = round(0.2 * SAMPLE_RATE_HERTZ)
_LASTING_FRAMES = 13
_LASTING_VOICED = 8
# Noise that was learnt must be exceeded by this much; it is kept while something not more
# than 6 dB quieter sounds every 10 s, and then fades by 2 dB a second.
_ABOVE_NOISE_DB = 3.0
_LIKE_NOISE_DB = 6.0
_NOISE_KEPT_SAMPLES = 10 * SAMPLE_RATE_HERTZ
_NOISE_FADES_DB = 2.0 * BLOCK_S


class VoiceLevel:
    """Follows a microphone, block by block."""

    def __init__(self) -> None:
        self._levels = np.full(_FLOOR_FRAMES, _UNHEARD_ROOM_DBFS, dtype=np.float32)
        self._played = deque([-np.inf], _PLAYED_BLOCKS)
        # Of the last frames: whether there was voice, and in how many of the two halves.
        self._voiced = deque([False] * _LASTING_FRAMES, _LASTING_FRAMES)
        self._halves = deque([0] * _RECENT_FRAMES, _RECENT_FRAMES)
        # The stretch of speech: where its first frame began and its last one ended.
        self._began_at = 0
        self._voice_at = -SAMPLE_RATE_HERTZ
        self._loudest_dbfs = -np.inf
        self._noise_dbfs = -np.inf
        self._noise_at = 0
        self._now = 0

    @property
    def speaking(self) -> bool:
        """Whether there was voice in the last 64 ms."""
        return self.absent_samples < _RECENT_SAMPLES

    @property
    def absent_samples(self) -> int:
        """For how many samples there has been no voice."""
        return self._now - self._voice_at

    @property
    def lasting(self) -> bool:
        """Whether somebody speaks, and has done so for a fifth of a second: it is no click."""
        lasts = self._voice_at - self._began_at >= _LASTING_SAMPLES
        return self.speaking and lasts and sum(self._voiced) >= _LASTING_VOICED

    def hear(self, first_sample: int, block: Samples, played_dbfs: float) -> None:
        """Takes the microphone's next block.

        block: int16, shape (BLOCK_SAMPLES,), after echo cancellation. played_dbfs: the loudest 8 ms
        that the speaker gave out since the last block.
        """
        self._now = first_sample + len(block)
        self._played.append(played_dbfs)
        threshold = self._threshold_dbfs()
        levels = levels_dbfs(block, _FRAME_SAMPLES)
        halves = levels_dbfs(block, _FRAME_SAMPLES // 2).reshape(-1, 2) > threshold
        for index, level in enumerate(levels.tolist()):
            self._voiced.append(level > threshold)
            self._halves.append(int(halves[index].sum()))
            self._judge(first_sample + (index + 1) * _FRAME_SAMPLES, level)
        self._levels = np.concatenate([self._levels[len(levels) :], levels])
        self._fade(float(levels.max()))

    def learn(self) -> None:
        """Takes the stretch that is heard, or was heard last, for the noise of this room."""
        self._noise_dbfs = max(self._noise_dbfs, self._loudest_dbfs)
        self._noise_at = self._now

    def forget(self) -> None:
        """Gives up what was learnt: it was somebody's words."""
        self._noise_dbfs = -np.inf

    def _threshold_dbfs(self) -> float:
        floor = float(np.partition(self._levels, _FLOOR_INDEX)[_FLOOR_INDEX])
        return max(
            _LEAST_DBFS,
            floor + _ABOVE_FLOOR_DB,
            self._noise_dbfs + _ABOVE_NOISE_DB,
            max(self._played) - _BELOW_PLAYED_DB,
        )

    def _judge(self, frame_end: int, level: float) -> None:
        recent = list(self._voiced)[-_RECENT_FRAMES:]
        if not recent[-1] or sum(recent) < _FEWEST_FRAMES or sum(self._halves) < _FEWEST_HALVES:
            return
        if frame_end - self._voice_at > STRETCH_ENDS_SAMPLES:
            self._began_at = frame_end - (_RECENT_FRAMES - recent.index(True)) * _FRAME_SAMPLES
            self._loudest_dbfs = level
        self._loudest_dbfs = max(self._loudest_dbfs, level)
        self._voice_at = frame_end

    def _fade(self, level: float) -> None:
        if level > self._noise_dbfs - _LIKE_NOISE_DB:
            self._noise_at = self._now
        elif self._now - self._noise_at > _NOISE_KEPT_SAMPLES:
            self._noise_dbfs -= _NOISE_FADES_DB
