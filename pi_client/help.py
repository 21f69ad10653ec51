"""The help line that is kept on this machine for when no server is there; it plays nothing.

It does not know who asks for it. The numbers are the server's; only where none were ever kept
are they words that hold in most countries.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError
from tadbot.v1 import companion_pb2 as pb

from pi_client.sound import RateChange, Samples, silence, to_int16
from pi_client.state import state_dir

BUILT_IN = (
    "If you are in danger, call your emergency number now; in most countries it is 112. "
    "Help lines near you are listed at findahelpline.com."
)
# Four minutes of speech; a file that is larger was not written here.
_MOST_BYTES = 8 * 2**20
_LOWEST_RATE_HERTZ, _HIGHEST_RATE_HERTZ = 8000, 96000


class Help:
    """Keeps the newest help lines, with their sound, from one talk to the next."""

    def __init__(self) -> None:
        self._lines = _read(_file())

    @property
    def version(self) -> str:
        """Which help lines are kept; "" where none are."""
        return self._lines.version

    @property
    def text(self) -> str:
        """The help line to be read; never empty."""
        return self._lines.text or BUILT_IN

    def keep(self, lines: pb.HelpLines) -> None:
        """Keeps these in place of what was kept; such as cannot be used are left aside."""
        if not _usable(lines):
            return
        self._lines = lines
        # They are known in this talk; in the next the server sends them again.
        with suppress(OSError):
            _write(_file(), lines.SerializeToString())

    def sound(self, sample_rate_hertz: int) -> Samples:
        """Returns the help line as it is spoken, at this rate; no samples where it cannot be."""
        if not self._lines.pcm:
            return silence(0)
        samples = np.frombuffer(self._lines.pcm, dtype="<i2").astype(np.int16)
        own_rate = self._lines.audio_format.sample_rate_hertz
        if own_rate == sample_rate_hertz:
            return samples
        change = RateChange(own_rate, sample_rate_hertz)
        return to_int16(change.change(samples.astype(np.float32) / 32768.0, last=True))


def _file() -> Path:
    return state_dir() / "help-lines.pb"


def _read(file: Path) -> pb.HelpLines:
    """Reads what is kept; what is missing, broken or too large is as if nothing were."""
    try:
        if not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return pb.HelpLines()
        lines = pb.HelpLines.FromString(file.read_bytes())
    except (OSError, DecodeError):
        return pb.HelpLines()
    return lines if _usable(lines) else pb.HelpLines()


def _usable(lines: pb.HelpLines) -> bool:
    rate = lines.audio_format.sample_rate_hertz
    spoken = len(lines.pcm) % 2 == 0 and _LOWEST_RATE_HERTZ <= rate <= _HIGHEST_RATE_HERTZ
    small = lines.ByteSize() <= _MOST_BYTES
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
