"""Sound between bytes and numbers; it does not know where either comes from."""

import wave
from pathlib import Path

import numpy as np

from server.engines import Samples
from server.errors import RequestError, TadbotError

LONGEST_CHUNK = 64 * 1024
"""Bytes of sound in a message: 2 s of what is heard."""


def to_samples(pcm: bytes) -> Samples:
    """Turns a message's signed 16-bit little-endian mono sound into samples in [-1, 1].

    Raises RequestError for an odd number of bytes or more than LONGEST_CHUNK.
    """
    if len(pcm) % 2:
        raise RequestError("ODD_BYTES", "A chunk of sound has an odd number of bytes.")
    if len(pcm) > LONGEST_CHUNK:
        raise RequestError("CHUNK_TOO_LONG", f"A chunk of sound has over {LONGEST_CHUNK} bytes.")
    return np.frombuffer(pcm, "<i2").astype(np.float32) * np.float32(1 / 32768)


def to_pcm(samples: Samples) -> bytes:
    """Turns samples into signed 16-bit little-endian sound; what is too loud is clipped."""
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def read_sound(file: Path, rate_hertz: int) -> Samples:
    """Reads a sound file of any common format, mixed to mono at a rate.

    Raises TadbotError if it is missing, empty or not sound.
    """
    from faster_whisper.audio import decode_audio

    if not file.is_file():
        raise TadbotError(f"There is no file {file}.")
    try:
        samples = np.asarray(decode_audio(str(file), sampling_rate=rate_hertz), dtype=np.float32)
    except Exception as error:
        raise TadbotError(f"The file {file} is not sound that can be read.") from error
    if not len(samples):
        raise TadbotError(f"The file {file} holds no sound.")
    return samples


def write_wav(file: Path, samples: Samples, rate_hertz: int) -> None:
    """Writes mono 16-bit sound. Raises TadbotError if the file cannot be written."""
    try:
        # Given a name it cannot open, wave complains of itself when it is freed.
        with file.open("wb") as out, wave.open(out, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(rate_hertz)
            sound.writeframes(to_pcm(samples))
    except OSError as error:
        raise TadbotError(f"The file {file} cannot be written: {error.strerror}.") from error
