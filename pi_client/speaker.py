"""Where replies are heard: a device, a WAV file, or nowhere."""

import os
import wave
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from pi_client.devices import check_device, open_stream
from pi_client.echo import EchoPath
from pi_client.errors import ClientError
from pi_client.microphone import is_sound_file
from pi_client.playout import Playout
from pi_client.sound import BLOCK_SAMPLES, SAMPLE_RATE_HERTZ, RateChange, Samples, silence


class Speaker(Protocol):
    """Pulls sound from the playout and makes it heard."""

    def start(self) -> None:
        """Begins, once the server has said at which rate it speaks."""

    def advance(self, sample: int) -> None:
        """Says that the microphone has come to this sample of its own."""

    def close(self) -> None:
        """Lets go of the device or file. Closing twice is not an error."""


class ClockedSpeaker:
    """Plays into a WAV file, or into nothing, by the microphone's clock.

    Sample 0 of the file is sample 0 of the microphone. Like a sound card it asks for the
    next 32 ms, so nothing stands in the file earlier than it came. The file goes to the disk
    as it grows, and its header is right after every block.
    """

    def __init__(self, playout: Playout, path: Path | None) -> None:
        self._playout = playout
        self._path = path
        self._started = False
        self._pulled = 0
        self._raw: BinaryIO | None = None
        self._file: wave.Wave_write | None = None
        if path is not None and not (
            path.parent.is_dir() and os.access(path.parent, os.W_OK) and not path.is_dir()
        ):
            raise ClientError(f"The sound file {path} cannot be written; name another place.")

    def start(self) -> None:
        self._started = True
        if self._path is None:
            return
        try:
            self._raw = self._path.open("wb")
            self._file = wave.open(self._raw, "wb")  # noqa: SIM115 (open as long as the talk)
        except OSError as error:
            raise ClientError(
                f"The sound file {self._path} cannot be written ({error.strerror}); "
                "name another place."
            ) from error
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(self._playout.sample_rate_hertz)

    def advance(self, sample: int) -> None:
        if not self._started:
            return
        rate = self._playout.sample_rate_hertz
        missed = sample * rate // SAMPLE_RATE_HERTZ - self._pulled
        if missed > 0:
            self._write(silence(missed))
        until = (sample + BLOCK_SAMPLES) * rate // SAMPLE_RATE_HERTZ
        if until > self._pulled:
            self._write(self._playout.pull(until - self._pulled))

    def close(self) -> None:
        self._started = False
        if self._file is not None and self._raw is not None:
            self._file.close()
            self._raw.close()
            self._file = self._raw = None

    def _write(self, samples: Samples) -> None:
        self._pulled += len(samples)
        if self._file is None:
            return
        try:
            self._file.writeframes(samples.tobytes())
        except OSError as error:
            raise ClientError(
                f"The sound file {self._path} cannot be written ({error.strerror}); make room."
            ) from error


class DeviceSpeaker:
    """Plays through a sound card, whose own clock pulls.

    echo: is told what is played. None: no microphone hears it.
    """

    def __init__(self, name: str, playout: Playout, echo: EchoPath | None) -> None:
        check_device("output", name)
        self._name = name
        self._playout = playout
        self._echo = echo
        self._waiting = silence(0)
        self._rate = RateChange(SAMPLE_RATE_HERTZ, SAMPLE_RATE_HERTZ)
        self._stream: Any = None

    def start(self) -> None:
        reply_rate = self._playout.sample_rate_hertz
        options = {"samplerate": reply_rate, "blocksize": 0, "callback": self._wanted}
        self._stream = open_stream("output", self._name, options)
        self._rate = RateChange(reply_rate, int(self._stream.samplerate))
        if self._echo is not None:
            self._echo.plays_at(reply_rate)
        self._stream.start()

    def advance(self, sample: int) -> None:
        pass

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _wanted(self, data: Any, frames: int, when: Any, status: Any) -> None:
        """Runs in PortAudio's thread."""
        while len(self._waiting) < frames:
            pulled = self._playout.pull(frames)
            if self._echo is not None:
                self._echo.played(pulled)
            self._waiting = np.concatenate([self._waiting, self._rate.change_int16(pulled)])
        data[:] = self._waiting[:frames].tobytes()
        self._waiting = self._waiting[frames:]


def open_speaker(name: str, playout: Playout, echo: EchoPath | None) -> Speaker:
    """Opens the speaker that a person named: `default`, a device, a WAV file, or `none`.

    Raises ClientError if a file's place cannot be written to. A device is opened when the
    rate is known.
    """
    if name == "none":
        return ClockedSpeaker(playout, None)
    if is_sound_file(name):
        return ClockedSpeaker(playout, Path(name))
    return DeviceSpeaker(name, playout, echo)
