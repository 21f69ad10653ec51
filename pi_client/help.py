"""The help line that is kept on this machine for when no server is there; it plays nothing.

It does not know who asks for it. The numbers are the server's; only where none were ever kept
are they words that hold in most countries.
"""

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError
from tadbot.v1 import companion_pb2 as pb

from pi_client.sound import SAMPLE_RATE_HERTZ, RateChange, Samples, silence, to_int16
from pi_client.state import state_dir

BUILT_IN = (
    "If you are in danger, call your emergency number now; in most countries it is 112. "
    "Help lines near you are listed at findahelpline.com."
)
# Four minutes of speech; a file that is larger was not written here.
_MOST_BYTES = 8 * 2**20
# Stands before the rest of the file: a digit that a worn card changes is a wrong number.
_DIGEST_BYTES = hashlib.sha256().digest_size
_LOWEST_RATE_HERTZ, _HIGHEST_RATE_HERTZ = 8000, 96000


class Help:
    """Keeps the newest help lines, with their sound, from one talk to the next."""

    def __init__(self) -> None:
        self._lines = _read(_file())

    @property
    def version(self) -> str:
        """Which help lines are kept with their sound; "" where none are."""
        return self._lines.version if self._lines.pcm else ""

    @property
    def text(self) -> str:
        """The help line word for word, which says that the server is gone; never empty."""
        return self._lines.text or BUILT_IN

    @property
    def numbers(self) -> str:
        """Whom to call, as it is read best: in digits. True also while the server is there."""
        named = [f"{line.name} {line.number}" for line in self._lines.lines if line.number]
        return f"Whom to call: {', '.join(named)}." if named else BUILT_IN

    @property
    def sample_rate_hertz(self) -> int:
        """The rate at which the sound is kept."""
        return self._lines.audio_format.sample_rate_hertz or SAMPLE_RATE_HERTZ

    def keep(self, lines: pb.HelpLines) -> None:
        """Keeps these in place of what was kept; such as cannot be used are left aside.

        So are those that a server could not speak, where the same is kept with its sound.
        """
        if not _usable(lines) or (not lines.pcm and lines.text == self._lines.text):
            return
        self._lines = lines
        # They are known in this talk; in the next the server sends them again.
        with suppress(OSError):
            _write(_file(), packed(lines))

    def sound(self, sample_rate_hertz: int, only_numbers: bool = False) -> Samples:
        """Returns the help line as it is spoken, at this rate; no samples where it cannot be.

        only_numbers: without the word that the server is gone.
        """
        if not self._lines.pcm:
            return silence(0)
        samples = np.frombuffer(self._lines.pcm, dtype="<i2").astype(np.int16)
        if only_numbers:
            samples = samples[self._lines.numbers_first_sample :]
        own_rate = self._lines.audio_format.sample_rate_hertz
        if own_rate == sample_rate_hertz:
            return samples
        change = RateChange(own_rate, sample_rate_hertz)
        return to_int16(change.change(samples.astype(np.float32) / 32768.0, last=True))


def packed(lines: pb.HelpLines) -> bytes:
    """Returns what stands in the file for these."""
    data = lines.SerializeToString()
    return hashlib.sha256(data).digest() + data


def unpacked(data: bytes) -> pb.HelpLines:
    """Returns what a file holds. Raises DecodeError if it is not as it was written."""
    digest, data = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if hashlib.sha256(data).digest() != digest:
        raise DecodeError
    return pb.HelpLines.FromString(data)


def _file() -> Path:
    return state_dir() / "help-lines.pb"


def _read(file: Path) -> pb.HelpLines:
    """Reads what is kept; what is missing, broken or too large is as if nothing were."""
    try:
        if not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return pb.HelpLines()
        lines = unpacked(file.read_bytes())
    except (OSError, DecodeError):
        return pb.HelpLines()
    return lines if _usable(lines) else pb.HelpLines()


def _usable(lines: pb.HelpLines) -> bool:
    rate = lines.audio_format.sample_rate_hertz
    spoken = len(lines.pcm) % 2 == 0 and _LOWEST_RATE_HERTZ <= rate <= _HIGHEST_RATE_HERTZ
    spoken = spoken and lines.numbers_first_sample < len(lines.pcm) // 2
    small = lines.ByteSize() <= _MOST_BYTES - _DIGEST_BYTES
    return bool(lines.text.strip()) and (spoken or not lines.pcm) and small


def _write(file: Path, data: bytes) -> None:
    """Writes it whole or not at all; only its owner can read it, for it tells the country."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, unfinished = tempfile.mkstemp(prefix=file.name, dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(data)
            new.flush()
            # A machine whose plug is pulled must not find an empty file in its place.
            os.fsync(new.fileno())
        os.replace(unfinished, file)
    except OSError:
        Path(unfinished).unlink(missing_ok=True)
        raise
