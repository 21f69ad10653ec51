"""The replies that wait to be heard, in order; it does not know what pulls them.

A clock pulls: the sound card's own, or the microphone's where the speaker is a file or none.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import sound_pb2

from pi_client.sound import SAMPLE_RATE_HERTZ, Samples, silence

_log = logging.getLogger(__name__)

# Turn and revision: what is older is stale.
Key: TypeAlias = tuple[int, int]

# While the person may be speaking a reply plays 18 dB lower.
DUCKED_GAIN = 10 ** (-18 / 20)
# A change of gain takes this long: shorter ones click.
_RAMP_S = 0.02
# How often `played` is told while a reply plays.
REPORT_INTERVAL_S = 0.5
# Lost sound up to this long becomes silence, so that what follows keeps its place in time.
_LONGEST_FILLED_GAP_S = 2.0
# What arrives while this much waits is dropped: no reply is as long.
_LONGEST_WAITING_S = 300.0


@dataclass(frozen=True)
class Heard:
    """How much of a reply was heard; `complete` means that nothing of it was dropped.

    sample_count of the `arrived` samples left the speaker.
    """

    key: Key
    sample_count: int
    arrived: int
    finished: bool
    complete: bool


@dataclass
class _Reply:
    key: Key
    chunks: deque[Samples] = field(default_factory=deque)
    # Samples that came, those that were heard, and those lost in a gap too long to fill.
    arrived: int = 0
    heard: int = 0
    lost: int = 0
    reported: int = 0
    done: bool = False
    whole: bool = False

    def take(self, into: Samples) -> int:
        """Moves what there is into `into` and returns how many samples that was."""
        filled = 0
        while filled < len(into) and self.chunks:
            chunk = self.chunks.popleft()
            count = min(len(chunk), len(into) - filled)
            into[filled : filled + count] = chunk[:count]
            if count < len(chunk):
                self.chunks.appendleft(chunk[count:])
            filled += count
        self.heard += filled
        return filled

    def told(self, finished: bool) -> Heard:
        """Says how much of it was heard."""
        self.reported = self.heard
        complete = finished and self.whole and self.heard >= self.arrived
        return Heard(self.key, self.heard, self.arrived, finished, complete)


class Playout:
    """Queues the sound of replies, gives it out when it is pulled, and counts what was heard.

    Sound of a turn below the newest one seen is dropped when it arrives; what waits already
    is dropped by `STOP`, by an interrupted `reply_done`, and by a newer revision of its turn.
    Any thread may pull.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._replies: deque[_Reply] = deque()
        self._finished: list[Heard] = []
        self._newest: Key = (0, 0)
        self._last_finished: Key = (-1, 0)
        self._reported_at = 0.0
        self._gain = self._wanted_gain = 1.0
        self.sample_rate_hertz = SAMPLE_RATE_HERTZ

    def saw(self, response: pb.ConverseResponse) -> None:
        """Takes what a response means for the speaker."""
        key = (response.turn, response.revision)
        with self._lock:
            self._see(key)
            match response.WhichOneof("event"):
                case "opened":
                    rate = response.opened.reply_format.sample_rate_hertz
                    self.sample_rate_hertz = rate or SAMPLE_RATE_HERTZ
                case "reply_audio":
                    self._queue(key, response.reply_audio)
                case "reply_done":
                    self._end(key, response.reply_done)
                case "speaker":
                    self._control(key, response.speaker)

    def pull(self, count: int) -> Samples:
        """Gives out the next `count` samples: of a reply, or silence where there is none."""
        pulled = silence(count)
        with self._lock:
            filled = 0
            while filled < count and (reply := self._current()) is not None:
                taken = reply.take(pulled[filled:])
                if taken == 0:
                    break
                filled += taken
            self._current()
            return self._shaped(pulled)

    def reports(self) -> list[Heard]:
        """Returns what is to be told by now: each end once, what plays twice a second."""
        with self._lock:
            playing = self._current()
            told, self._finished = self._finished, []
            now = self._clock()
            due = now - self._reported_at >= REPORT_INTERVAL_S
            if playing is not None and playing.heard > playing.reported and due:
                self._reported_at = now
                told.append(playing.told(finished=False))
            return told

    def drop(self) -> None:
        """Drops every reply: nobody listens any more."""
        with self._lock:
            while self._replies:
                self._finish(self._replies.popleft())

    @property
    def waiting(self) -> bool:
        """Whether sound waits to be heard, or an end to be told."""
        with self._lock:
            self._current()
            return bool(self._finished) or any(reply.chunks for reply in self._replies)

    def _see(self, key: Key) -> None:
        if key <= self._newest:
            return
        self._newest = key
        self._drop_where(lambda old: old[0] == key[0] and old[1] < key[1])

    def _queue(self, key: Key, audio: sound_pb2.AudioChunk) -> None:
        if key < self._newest or key <= self._last_finished:
            return
        if len(audio.pcm) % 2:
            _log.warning("Reply sound of %d bytes was ignored: samples have two.", len(audio.pcm))
            return
        reply = self._reply(key)
        samples = np.frombuffer(audio.pcm, dtype="<i2").astype(np.int16)
        samples = self._placed(reply, audio.first_sample, samples)
        waiting = sum(map(len, reply.chunks)) + len(samples)
        if waiting > _LONGEST_WAITING_S * self.sample_rate_hertz:
            _log.warning("Reply sound was dropped: more than %.0f s waited.", _LONGEST_WAITING_S)
            return
        if len(samples):
            reply.chunks.append(samples)
            reply.arrived += len(samples)

    def _placed(self, reply: _Reply, first: int, samples: Samples) -> Samples:
        """Makes up for a jump: lost sound becomes silence, what came twice is left out."""
        gap = first - reply.arrived - reply.lost
        if gap <= 0:
            return samples[-gap:]
        _log.warning("%d samples of a reply were lost on the way.", gap)
        if gap <= _LONGEST_FILLED_GAP_S * self.sample_rate_hertz:
            return np.concatenate([silence(gap), samples])
        reply.lost += gap
        return samples

    def _end(self, key: Key, done: pb.ReplyDone) -> None:
        if key <= self._last_finished:
            return
        reply = self._reply(key)
        reply.done = True
        reply.whole = done.reason != pb.ReplyDone.INTERRUPTED
        if done.reason == pb.ReplyDone.INTERRUPTED:
            self._drop_where(lambda old: old <= key)

    def _control(self, key: Key, control: pb.SpeakerControl) -> None:
        match control.action:
            case pb.SpeakerControl.DUCK:
                self._wanted_gain = DUCKED_GAIN
            case pb.SpeakerControl.RESUME:
                self._wanted_gain = 1.0
            case pb.SpeakerControl.STOP:
                self._drop_where(lambda old: old <= key)

    def _reply(self, key: Key) -> _Reply:
        for reply in self._replies:
            if reply.key == key:
                return reply
        reply = _Reply(key)
        self._replies.append(reply)
        return reply

    def _current(self) -> _Reply | None:
        """Returns the reply that plays, after taking leave of those that ended.

        Nothing more comes of a reply that is done or is older than the newest turn.
        """
        while self._replies:
            reply = self._replies[0]
            if reply.chunks or not (reply.done or reply.key < self._newest):
                return reply
            self._finish(self._replies.popleft())
        return None

    def _drop_where(self, stale: Callable[[Key], bool]) -> None:
        kept = deque(reply for reply in self._replies if not stale(reply.key))
        for reply in self._replies:
            if stale(reply.key):
                self._finish(reply)
                # The next reply is not to pay for what was said during this one.
                self._gain = self._wanted_gain = 1.0
        self._replies = kept

    def _finish(self, reply: _Reply) -> None:
        self._finished.append(reply.told(finished=True))
        self._last_finished = max(self._last_finished, reply.key)

    def _shaped(self, samples: Samples) -> Samples:
        if self._gain == self._wanted_gain == 1.0:
            return samples
        step = (1.0 - DUCKED_GAIN) / (_RAMP_S * self.sample_rate_hertz)
        way = np.arange(1, len(samples) + 1) * step
        if self._gain > self._wanted_gain:
            gains = np.maximum(self._gain - way, self._wanted_gain)
        else:
            gains = np.minimum(self._gain + way, self._wanted_gain)
        if len(gains):
            self._gain = float(gains[-1])
        shaped: Samples = (samples * gains).astype(np.int16)
        return shaped
