"""A simulated room with a microphone and a speaker in it, in real time.

It does not know what is said in it or who judges that. Everything is placed on the microphone's
clock: seconds since its first sample.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from pi_client.playout import Playout
from pi_client.reply import Key
from pi_client.sound import (
    BLOCK_S,
    BLOCK_SAMPLES,
    SAMPLE_RATE_HERTZ,
    RateChange,
    Samples,
    silence,
    to_int16,
)
from tests.benchmarks.noises import room as room_noise
from tests.benchmarks.scenes import Clip

AUDIBLE = 200
"""Magnitude of a 16-bit sample from which it is heard."""
ECHO_DELAY = SAMPLE_RATE_HERTZ * 8 // 100
"""Samples (80 ms) from the speaker's clock to the microphone's: sound cards and air."""
_NOISE = to_int16(room_noise(20.0))


class After(Enum):
    """What a sound waits for."""

    START = auto()
    """The microphone's first sample."""
    REPLY = auto()
    """The first audible sample of a reply, after what was said before."""
    QUIET = auto()
    """The end of a reply to what was said before, when all of it was played."""


@dataclass(frozen=True)
class Sound:
    """Something that the person says. Its sound begins `seconds` after what it waits for."""

    clip: Clip
    seconds: float = 0.3
    after: After = After.START


@dataclass(frozen=True)
class Placed:
    """A sound in its place. Times in seconds of the microphone's clock."""

    clip: Clip
    first_sample: int

    @property
    def first_voiced_s(self) -> float:
        """When its voice begins."""
        return (self.first_sample + self.clip.first_voiced) / SAMPLE_RATE_HERTZ

    @property
    def last_voiced_s(self) -> float:
        """When its voice ends."""
        return (self.first_sample + self.clip.last_voiced) / SAMPLE_RATE_HERTZ


@dataclass(frozen=True)
class Audible:
    """What was audible in one pull of the speaker, a block or less."""

    key: Key
    """Turn and revision of the reply."""
    begin_s: float
    """Its first audible sample."""
    end_s: float
    """Its last one."""
    late_s: float
    """How much later than its clock the speaker pulled; a sound card would have waited."""


@dataclass
class Room:
    """What is heard in it. echo_db: how much of the speaker the microphone hears; None: nothing."""

    sounds: Sequence[Sound]
    echo_db: float | None = None
    placed: list[Placed] = field(default_factory=list)
    audible: list[Audible] = field(default_factory=list)
    pulled: list[Samples] = field(default_factory=list)
    """All that the speaker pulled, from the microphone's first sample on, at its own rate."""
    quiet_since_s: float = -1.0
    """When a reply had been played to its end; before 0: none has."""
    now_s: float = 0.0
    """End of the newest block of the microphone."""

    def place(self) -> None:
        """Gives a place to the next sound, if what it waits for has come."""
        while len(self.placed) < len(self.sounds):
            sound = self.sounds[len(self.placed)]
            since_s = self.placed[-1].last_voiced_s if self.placed else 0.0
            match sound.after:
                case After.START:
                    begin_s: float | None = 0.0
                case After.REPLY:
                    begins = (one.begin_s for one in self.audible if one.begin_s > since_s)
                    begin_s = next(begins, None)
                case After.QUIET:
                    begin_s = self.quiet_since_s if self.quiet_since_s > since_s else None
            if begin_s is None:
                return
            # What the microphone has heard already cannot be changed any more.
            at_s = max(begin_s + sound.seconds, self.now_s)
            self.placed.append(Placed(sound.clip, round(at_s * SAMPLE_RATE_HERTZ)))

    @property
    def said(self) -> bool:
        """Whether all has been said."""
        all_placed = len(self.placed) == len(self.sounds)
        return all_placed and (not self.placed or self.now_s >= self.placed[-1].last_voiced_s)


class RoomMicrophone:
    """Hears the room: its noise, the person, and the speaker; a block when it is due."""

    ended = False

    def __init__(self, room: Room, speaker: "RoomSpeaker") -> None:
        self._room = room
        self._speaker = speaker
        self._read = 0
        self._began_at = 0.0

    @property
    def behind(self) -> bool:
        """Whether more waits than the block that is due."""
        return self._due_at() + BLOCK_S < asyncio.get_running_loop().time()

    def start(self) -> None:
        """Begins: the clock of the room is at 0."""
        self._began_at = asyncio.get_running_loop().time()

    async def read(self) -> tuple[int, Samples]:
        """Waits for the next block."""
        await asyncio.sleep(self._due_at() - asyncio.get_running_loop().time())
        self._room.place()
        first = self._read * BLOCK_SAMPLES
        self._read += 1
        heard = np.take(_NOISE, np.arange(first, first + BLOCK_SAMPLES), mode="wrap")
        mixed = heard.astype(np.float32) / 32768
        for one in self._room.placed:
            _add(mixed, one.clip.samples, one.first_sample - first)
        if self._room.echo_db is not None:
            echo = self._speaker.heard(first - ECHO_DELAY, BLOCK_SAMPLES)
            mixed += echo * np.float32(10 ** (self._room.echo_db / 20))
        self._room.now_s = (first + BLOCK_SAMPLES) / SAMPLE_RATE_HERTZ
        return first, to_int16(mixed)

    def late_s(self) -> float:
        """How much later than its clock the newest block was read."""
        return self.elapsed_s() - self._read * BLOCK_S

    def elapsed_s(self) -> float:
        """The room's clock by the clock of the machine."""
        return asyncio.get_running_loop().time() - self._began_at

    def close(self) -> None:
        """There is nothing to close."""

    def _due_at(self) -> float:
        return self._began_at + (self._read + 1) * BLOCK_S


def _add(into: NDArray[np.float32], samples: NDArray[np.float32], offset: int) -> None:
    """Adds what of `samples` lies in `into`, where they begin at `offset`."""
    begin, end = max(0, offset), min(len(into), offset + len(samples))
    if begin < end:
        into[begin:end] += samples[begin - offset : end - offset]


class RoomSpeaker:
    """Pulls sound on the microphone's clock, as a sound card does, and notes what was audible.

    late_s: see `RoomMicrophone.late_s`.
    """

    def __init__(self, room: Room, playout: Playout) -> None:
        self._room = room
        self._playout = playout
        self._started = False
        self._pulled = 0
        self._rate = RateChange(SAMPLE_RATE_HERTZ, SAMPLE_RATE_HERTZ)
        self._echo: list[Samples] = []
        self.late_s: Callable[[], float] = lambda: 0.0

    def start(self) -> None:
        """Begins at the rate of the replies."""
        self._started = True
        self._rate = RateChange(self._playout.sample_rate_hertz, SAMPLE_RATE_HERTZ)

    def advance(self, sample: int) -> None:
        """Pulls what plays while the microphone hears its next block."""
        if not self._started:
            return
        rate = self._playout.sample_rate_hertz
        missed = sample * rate // SAMPLE_RATE_HERTZ - self._pulled
        if missed > 0:
            self._take(silence(missed))
        count = (sample + BLOCK_SAMPLES) * rate // SAMPLE_RATE_HERTZ - self._pulled
        before, begin = self._playout.playing(), self._pulled
        pulled = self._playout.pull(count)
        self._take(pulled)
        loud = np.flatnonzero(np.abs(pulled.astype(np.int32)) > AUDIBLE)
        after = self._playout.playing()
        if len(loud) and (playing := before or after) is not None:
            first, last = (begin + int(loud[0])) / rate, (begin + int(loud[-1])) / rate
            late_s = max(0.0, self.late_s())
            self._room.audible.append(Audible(playing.key, first, last, late_s))

    def heard(self, first: int, count: int) -> NDArray[np.float32]:
        """Gives what was pulled at samples of the microphone's rate; silence where nothing was."""
        echo = np.zeros(count, np.float32)
        offset = -first
        for part in self._echo:
            _add(echo, part.astype(np.float32) / 32768, offset)
            offset += len(part)
        return echo

    def close(self) -> None:
        """There is nothing to close."""

    def _take(self, samples: Samples) -> None:
        self._pulled += len(samples)
        self._room.pulled.append(samples)
        if self._room.echo_db is not None:
            self._echo.append(self._rate.change_int16(samples))
