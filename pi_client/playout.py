"""The replies that wait to be heard, in order; it does not know what pulls them.

A clock pulls: the sound card's own, or the microphone's where the speaker is a file or none.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import sound_pb2

from pi_client.fader import Fader
from pi_client.reply import Heard, Key, Reply
from pi_client.sound import SAMPLE_RATE_HERTZ, Loudest, Samples, silence

_log = logging.getLogger(__name__)

# While the person may be speaking a reply plays 18 dB lower, and a protected one 6 dB.
DUCKED_GAIN = 10 ** (-18 / 20)
PROTECTED_GAIN = 10 ** (-6 / 20)
# How often `played` is told while a reply plays.
REPORT_INTERVAL_S = 0.5


class Manner(Enum):
    """How a reply is played."""

    FULL = 1
    # More quietly: the person may be speaking.
    DUCKED = 2
    # Not at all, and it keeps its place. A protected sentence that has begun is only ducked.
    HELD = 3


@dataclass(frozen=True)
class Playing:
    """The reply that plays or is the next to begin.

    begun: whether any of it was heard. protected: noise must not stop its present sentence.
    """

    key: Key
    begun: bool
    protected: bool


class Playout:
    """Queues the sound of replies, gives it out when it is pulled, and counts what was heard.

    Sound of a turn below the newest one seen is dropped when it arrives; what waits already
    is dropped by `STOP`, by an interrupted `reply_done`, and by a newer revision of its turn.
    Any thread may pull. Who may speak over a reply is judged elsewhere, and told by `play`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._replies: deque[Reply] = deque()
        self._finished: list[Heard] = []
        self._newest: Key = (0, 0)
        self._last_finished: Key = (-1, 0)
        self._reported_at = 0.0
        self._manner = Manner.FULL
        self._may_begin = True
        self._fader = Fader()
        # What the client itself says; it goes before all replies.
        self._own = silence(0)
        self._loudest = Loudest()
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
                case "reply_text":
                    self._mark_piece(key, response.reply_text)
                case "reply_audio":
                    self._queue(key, response.reply_audio)
                case "reply_done":
                    self._end(key, response.reply_done)
                case "speaker" if response.speaker.action == pb.SpeakerControl.STOP:
                    self._drop_where(lambda old: old <= key)

    def play(self, manner: Manner, may_begin: bool = True) -> None:
        """Says how to play from now on; saying it twice is not an error.

        What was held goes on from the start of the word at which it began to give way.
        may_begin: whether a reply may begin of which nothing was heard. A new reply plays in
        full until something else is said.
        """
        with self._lock:
            reply = self._current()
            if reply is not None:
                if self._manner is Manner.FULL and manner is not Manner.FULL:
                    reply.mark = reply.heard
                elif self._was_silenced(reply) and manner is Manner.FULL:
                    reply.rewind()
                self._manner = manner
            self._may_begin = may_begin

    def say(self, samples: Samples) -> None:
        """Says at once, and in full, what no server sent: the reply that plays is dropped.

        samples: at `sample_rate_hertz`. Nobody's word or voice stops it; replies that come
        meanwhile wait.
        """
        with self._lock:
            self._drop_where(lambda old: True)
            self._own = samples

    @property
    def saying(self) -> bool:
        """Whether something of what `say` was given is still to be heard."""
        with self._lock:
            return len(self._own) > 0

    def playing(self) -> Playing | None:
        """Returns the reply that plays now, or is about to; None where there is no sound of it."""
        with self._lock:
            reply = self._current()
            if len(self._own) or reply is None or not (reply.begun or reply.chunks):
                return None
            return Playing(reply.key, reply.begun, reply.protected)

    def loudest_dbfs(self) -> float:
        """Returns the level of the loudest 8 ms given out since this was asked last."""
        with self._lock:
            return self._loudest.take()

    def pull(self, count: int) -> Samples:
        """Gives out the next `count` samples: of a reply, or silence where there is none."""
        pulled = silence(count)
        with self._lock:
            filled = min(count, len(self._own))
            pulled[:filled], self._own = self._own[:filled], self._own[filled:]
            while filled < count and (reply := self._current()) is not None:
                taken = self._take(reply, pulled[filled:])
                if taken == 0:
                    break
                filled += taken
            self._current()
            self._loudest.add(pulled, self.sample_rate_hertz)
            return pulled

    def reports(self) -> list[Heard]:
        """Returns what is to be told by now: each end once, what plays twice a second."""
        with self._lock:
            playing = self._current()
            told, self._finished = self._finished, []
            now = self._clock()
            due = now - self._reported_at >= REPORT_INTERVAL_S
            if playing is not None and playing.heard != playing.reported and due:
                self._reported_at = now
                told.append(playing.told(finished=False))
            return told

    def drop(self) -> None:
        """Drops every reply: nobody listens any more."""
        with self._lock:
            self._drop_where(lambda old: True)

    @property
    def waiting(self) -> bool:
        """Whether sound waits to be heard, or an end to be told."""
        with self._lock:
            self._current()
            return (
                bool(self._finished)
                or len(self._own) > 0
                or any(reply.chunks for reply in self._replies)
            )

    def _see(self, key: Key) -> None:
        if key <= self._newest:
            return
        self._newest = key
        self._drop_where(lambda old: old[0] == key[0] and old[1] < key[1])

    def _stale(self, key: Key) -> bool:
        return key < self._newest or key <= self._last_finished

    def _mark_piece(self, key: Key, piece: pb.ReplyText) -> None:
        if not self._stale(key):
            self._reply(key).add_piece(piece.first_sample, piece.protected)

    def _queue(self, key: Key, audio: sound_pb2.AudioChunk) -> None:
        if self._stale(key):
            return
        if len(audio.pcm) % 2:
            _log.warning("Reply sound of %d bytes was ignored: samples have two.", len(audio.pcm))
            return
        samples = np.frombuffer(audio.pcm, dtype="<i2").astype(np.int16)
        self._reply(key).add(audio.first_sample, samples)

    def _end(self, key: Key, done: pb.ReplyDone) -> None:
        if key <= self._last_finished:
            return
        reply = self._reply(key)
        reply.done = True
        reply.whole = done.reason != pb.ReplyDone.INTERRUPTED
        if done.reason == pb.ReplyDone.INTERRUPTED:
            self._drop_where(lambda old: old <= key)

    def _reply(self, key: Key) -> Reply:
        for reply in self._replies:
            if reply.key == key:
                return reply
        reply = Reply(key, self.sample_rate_hertz)
        self._replies.append(reply)
        return reply

    def _current(self) -> Reply | None:
        """Returns the reply that plays, after taking leave of those that ended.

        Nothing more comes of a reply that is done or is older than the newest turn.
        """
        while self._replies:
            reply = self._replies[0]
            if reply.chunks or not (reply.done or reply.key < self._newest):
                return reply
            self._finish(self._replies.popleft())
            self._play_in_full()
        return None

    def _drop_where(self, stale: Callable[[Key], bool]) -> None:
        kept = deque(reply for reply in self._replies if not stale(reply.key))
        if self._replies and stale(self._replies[0].key):
            self._play_in_full()
        for reply in self._replies:
            if stale(reply.key):
                self._finish(reply)
        self._replies = kept

    def _play_in_full(self) -> None:
        """The next reply is not to pay for what was said during this one."""
        self._manner = Manner.FULL
        self._fader.jump(1.0)

    def _finish(self, reply: Reply) -> None:
        # Of a reply that had words but no sound nobody was told yet.
        if reply.arrived or reply.done:
            self._finished.append(reply.told(finished=True))
            self._last_finished = max(self._last_finished, reply.key)

    def _take(self, reply: Reply, into: Samples) -> int:
        """Moves sound of a reply into `into`, at its gain; returns how many samples that was."""
        wanted = self._gain_for(reply)
        if not reply.begun and (wanted == 0.0 or not self._may_begin):
            return 0
        if reply.heard == 0:
            # Its own beginning needs no ramp, nor when it goes back to it.
            self._fader.jump(wanted)
        self._fader.aim(wanted, self.sample_rate_hertz)
        # Of what is held no more is given out than the way to silence takes.
        taken = reply.take(into if wanted else into[: self._fader.samples_left])
        self._fader.shape(into[:taken])
        return taken

    def _was_silenced(self, reply: Reply) -> bool:
        return self._manner is Manner.HELD and reply.begun and self._fader.gain == 0.0

    def _gain_for(self, reply: Reply) -> float:
        match self._manner:
            case Manner.FULL:
                return 1.0
            case Manner.HELD if not (reply.begun and reply.protected):
                return 0.0
            case _:
                return PROTECTED_GAIN if reply.protected else DUCKED_GAIN
