"""Where the person's sound comes from: a recording in real time, or a device."""

import asyncio
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pi_client import wav
from pi_client.devices import open_stream
from pi_client.echo import EchoPath
from pi_client.errors import ClientError
from pi_client.sound import BLOCK_S, BLOCK_SAMPLES, SAMPLE_RATE_HERTZ, RateChange, Samples, silence

# A device that gives nothing for this long is gone.
_SILENT_DEVICE_S = 2.0
# Blocks that wait while the network does not take them: half a minute. Beyond it the newest
# are lost, and the numbers of the samples that follow jump by as much.
_MOST_WAITING_BLOCKS = round(30 / BLOCK_S)


class Microphone(Protocol):
    """Gives blocks of BLOCK_SAMPLES, 16 kHz mono, one every 32 ms."""

    @property
    def ended(self) -> bool:
        """Whether all that will ever be said has been read."""

    @property
    def behind(self) -> bool:
        """Whether more sound waits than the one block that is due."""

    def start(self) -> None:
        """Begins: the next sample is the first."""

    async def read(self) -> tuple[int, Samples]:
        """Waits for the next block; answers the index of its first sample, and the block."""

    def close(self) -> None:
        """Lets go of the device. Closing twice is not an error."""


class FileMicrophone:
    """Plays a WAV file in real time, then silence without end.

    A block is given out when a microphone would have it, at the end of its 32 ms by the
    wall clock; lateness is made up for and does not add up.
    """

    def __init__(self, path: Path) -> None:
        self._recording = wav.open_recording(path)
        self._blocks: Iterator[Samples] = iter(())
        self._count = math.ceil(self._recording.duration_s * SAMPLE_RATE_HERTZ)
        self._read = 0
        self._started_at = 0.0

    @property
    def ended(self) -> bool:
        return self._read * BLOCK_SAMPLES >= self._count

    @property
    def behind(self) -> bool:
        return self._due_at(1) < asyncio.get_running_loop().time()

    def start(self) -> None:
        self._blocks = itertools.chain(
            wav.blocks(self._recording), itertools.repeat(silence(BLOCK_SAMPLES))
        )
        self._started_at = asyncio.get_running_loop().time()

    async def read(self) -> tuple[int, Samples]:
        await asyncio.sleep(self._due_at(0) - asyncio.get_running_loop().time())
        first_sample = self._read * BLOCK_SAMPLES
        self._read += 1
        return first_sample, next(self._blocks)

    def close(self) -> None:
        self._blocks = iter(())

    def _due_at(self, later_blocks: int) -> float:
        return self._started_at + (self._read + 1 + later_blocks) * BLOCK_S


class DeviceMicrophone:
    """Listens to a sound card until it is closed; sound never waits for pictures.

    echo: takes out what the speaker plays. None: the speaker cannot be heard here.
    """

    def __init__(self, name: str, echo: EchoPath | None) -> None:
        self._echo = echo
        self._loop = asyncio.get_running_loop()
        self._blocks: asyncio.Queue[tuple[int, Samples]] = asyncio.Queue(_MOST_WAITING_BLOCKS)
        self._waiting = silence(0)
        self._first_sample = 0
        self._stream: Any = open_stream(
            "input",
            name,
            {
                "samplerate": SAMPLE_RATE_HERTZ,
                "blocksize": BLOCK_SAMPLES,
                "callback": self._captured,
            },
        )
        self._rate = RateChange(int(self._stream.samplerate), SAMPLE_RATE_HERTZ)

    @property
    def ended(self) -> bool:
        return False

    @property
    def behind(self) -> bool:
        return self._blocks.qsize() > 1

    def start(self) -> None:
        self._stream.start()

    async def read(self) -> tuple[int, Samples]:
        try:
            async with asyncio.timeout(_SILENT_DEVICE_S):
                first_sample, block = await self._blocks.get()
        except TimeoutError as error:
            raise ClientError(
                "The microphone gives no sound any more; plug it in and start again."
            ) from error
        return first_sample, block if self._echo is None else self._echo.clean(block)

    def close(self) -> None:
        self._stream.close()

    def _captured(self, data: Any, frames: int, when: Any, status: Any) -> None:
        """Runs in PortAudio's thread."""
        samples = self._rate.change_int16(np.frombuffer(bytes(data), dtype=np.int16))
        self._waiting = np.concatenate([self._waiting, samples])
        while len(self._waiting) >= BLOCK_SAMPLES:
            block, self._waiting = self._waiting[:BLOCK_SAMPLES], self._waiting[BLOCK_SAMPLES:]
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._queue, self._first_sample, block)
            self._first_sample += BLOCK_SAMPLES

    def _queue(self, first_sample: int, block: Samples) -> None:
        if not self._blocks.full():
            self._blocks.put_nowait((first_sample, block))


def open_microphone(name: str, echo: EchoPath | None) -> Microphone:
    """Opens the microphone that a person named: `default`, a device, or a WAV file.

    Raises ClientError if it cannot be opened; nothing is sent before.
    """
    if is_sound_file(name):
        return FileMicrophone(Path(name))
    return DeviceMicrophone(name, echo)


def is_sound_file(name: str) -> bool:
    """Whether a microphone's or speaker's name means a file."""
    return name.lower().endswith(".wav") or "/" in name or Path(name).is_file()
