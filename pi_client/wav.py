"""Reads PCM from WAV files piece by piece; it does not know when it is heard.

The standard library's `wave` refuses the extensible header before Python 3.12, which most
programs write for 24 bits, so the few fields are read here.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from pi_client.errors import ClientError
from pi_client.sound import BLOCK_SAMPLES, SAMPLE_RATE_HERTZ, RateChange, Samples, to_int16

_PCM = 1
_EXTENSIBLE = 0xFFFE
# From here on a length is what a program wrote that did not know it (ffmpeg and sox into a
# pipe): the data goes on to the end of the file.
_UNKNOWN_SIZE = 0x7FFF0000
# Frames read at a time: about a quarter of a second.
_FRAMES_A_READ = 4096
_LOWEST_RATE_HERTZ, _HIGHEST_RATE_HERTZ = 8000, 96000


@dataclass(frozen=True)
class Recording:
    """A WAV file whose header has been checked."""

    path: Path
    channels: int
    sample_width_bytes: int
    sample_rate_hertz: int
    data_offset_bytes: int
    frame_count: int

    @property
    def duration_s(self) -> float:
        """How long it lasts."""
        return self.frame_count / self.sample_rate_hertz


def open_recording(path: Path) -> Recording:
    """Checks the header of a WAV file.

    Raises ClientError if there is no such file, it is not a WAV of PCM, 8 to 32 bits, one or
    two channels, 8 to 96 kHz, or it is empty or shorter than its header says.
    """
    try:
        with path.open("rb") as file:
            return _read_header(path, file)
    except OSError as error:
        raise ClientError(
            f"The sound file {path} cannot be read ({error.strerror}); correct its name."
        ) from error
    except struct.error as error:
        raise ClientError(_truncated(path)) from error


def _truncated(path: Path) -> str:
    return f"The sound file {path} is truncated; copy or record it again."


def _not_a_wav(path: Path) -> str:
    return f"{path} is not a WAV file of PCM sound; convert it, for example with ffmpeg."


def _read_header(path: Path, file: BinaryIO) -> Recording:
    size = path.stat().st_size
    if size == 0:
        raise ClientError(f"The sound file {path} is empty; record it again.")
    head = file.read(12)
    if head[:4] != b"RIFF"[: len(head)] or head[8:12] != b"WAVE"[: max(len(head) - 8, 0)]:
        raise ClientError(_not_a_wav(path))
    layout: tuple[int, int, int] | None = None
    while True:
        name, length = struct.unpack("<4sI", file.read(8))
        if name == b"fmt ":
            layout = _read_format(path, file.read(length))
        elif name == b"data":
            break
        else:
            file.seek(length, 1)
        file.seek(length % 2, 1)
    if layout is None:
        raise ClientError(_not_a_wav(path))
    channels, width, rate = layout
    start = file.tell()
    if length >= _UNKNOWN_SIZE:
        length = size - start
    if start + length > size:
        raise ClientError(_truncated(path))
    frames = length // (channels * width)
    if frames == 0:
        raise ClientError(f"The sound file {path} holds no sound; record it again.")
    return Recording(path, channels, width, rate, start, frames)


def _read_format(path: Path, chunk: bytes) -> tuple[int, int, int]:
    coding, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
    if coding == _EXTENSIBLE:
        (coding,) = struct.unpack("<H", chunk[24:26])
    if coding != _PCM or bits not in (8, 16, 24, 32):
        raise ClientError(_not_a_wav(path))
    if channels not in (1, 2):
        raise ClientError(f"{path} has {channels} channels; give one with one or two.")
    if not _LOWEST_RATE_HERTZ <= rate <= _HIGHEST_RATE_HERTZ:
        raise ClientError(f"{path} has {rate} samples a second; give one with 8000 to 96000.")
    return channels, bits // 8, rate


def blocks(recording: Recording) -> Iterator[Samples]:
    """Yields the recording as the server hears it, 1024 samples of 16 kHz mono at a time.

    Two channels are averaged. The last block is filled up with silence.
    """
    waiting = np.zeros(0, dtype=np.int16)
    for piece in _pieces(recording):
        waiting = np.concatenate([waiting, piece])
        whole = len(waiting) - len(waiting) % BLOCK_SAMPLES
        yield from waiting[:whole].reshape(-1, BLOCK_SAMPLES)
        waiting = waiting[whole:]
    if len(waiting):
        yield np.pad(waiting, (0, BLOCK_SAMPLES - len(waiting)))


def _pieces(recording: Recording) -> Iterator[Samples]:
    as_it_is = (
        recording.channels == 1
        and recording.sample_width_bytes == 2
        and recording.sample_rate_hertz == SAMPLE_RATE_HERTZ
    )
    rate = RateChange(recording.sample_rate_hertz, SAMPLE_RATE_HERTZ)
    for data, last in _reads(recording):
        if as_it_is:
            yield np.frombuffer(data, dtype="<i2").astype(np.int16)
            continue
        mono = _decode(data, recording.sample_width_bytes)
        mono = mono.reshape(-1, recording.channels).mean(axis=1, dtype=np.float32)
        yield to_int16(rate.change(mono, last))


def _reads(recording: Recording) -> Iterator[tuple[bytes, bool]]:
    frame_bytes = recording.channels * recording.sample_width_bytes
    left = recording.frame_count
    with recording.path.open("rb") as file:
        file.seek(recording.data_offset_bytes)
        while left:
            frames = min(left, _FRAMES_A_READ)
            data = file.read(frames * frame_bytes)
            if len(data) < frames * frame_bytes:
                raise ClientError(_truncated(recording.path))
            left -= frames
            yield data, left == 0


def _decode(data: bytes, width: int) -> NDArray[np.float32]:
    """Turns samples of 1 to 4 bytes into float32 in [-1, 1]; 8 bits are unsigned in a WAV."""
    raw = np.frombuffer(data, dtype=np.uint8)
    if width == 1:
        return (raw.astype(np.float32) - 128.0) / 128.0
    wide = np.zeros((len(raw) // width, 4), dtype=np.uint8)
    wide[:, 4 - width :] = raw.reshape(-1, width)
    return wide.reshape(-1).view("<i4").astype(np.float32) / 2147483648.0
