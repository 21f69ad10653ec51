"""Recordings of every kind, as the server hears them."""

import asyncio
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from pi_client import wav
from pi_client.errors import ClientError
from pi_client.microphone import FileMicrophone, is_sound_file


def write(path: Path, pcm: bytes, rate: int = 16000, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm)
    return path


def sine(rate: int, seconds: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)


def pack(samples: np.ndarray, width: int) -> bytes:
    if width == 1:
        return (np.rint(samples * 127) + 128).astype(np.uint8).tobytes()
    whole = np.rint(samples * (2 ** (8 * width - 1) - 1)).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, :width].tobytes()


def heard(path: Path) -> np.ndarray:
    blocks = list(wav.blocks(wav.open_recording(path)))
    assert {len(block) for block in blocks} == {512}
    return np.concatenate(blocks)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 96000])
def test_any_pcm_becomes_16_khz_mono(tmp_path: Path, width: int, channels: int, rate: int) -> None:
    pcm = pack(np.repeat(sine(rate), channels), width)
    samples = heard(write(tmp_path / "a.wav", pcm, rate, channels, width))
    wanted = sine(16000) * 32767
    assert len(samples) == 32 * 512
    error = samples[200:15800] - wanted[200:15800]
    assert np.abs(error).max() < (300 if width == 1 else 60)


def test_16_khz_mono_passes_untouched(tmp_path: Path) -> None:
    pcm = np.random.default_rng(1).integers(-32768, 32767, 5000, dtype=np.int16)
    samples = heard(write(tmp_path / "a.wav", pcm.tobytes()))
    assert samples[:5000].tolist() == pcm.tolist()
    assert not samples[5000:].any()


def test_an_extensible_header_and_other_chunks_are_read(tmp_path: Path) -> None:
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    layout = struct.pack("<HHIIHH", 0xFFFE, 1, 16000, 48000, 3, 24) + struct.pack("<HHI", 22, 24, 4)
    chunks = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    chunks += b"fmt " + struct.pack("<I", 40) + layout + guid
    chunks += b"data" + struct.pack("<I", 0xFFFFFFFF) + pack(sine(16000), 3)
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", 0) + b"WAVE" + chunks)
    assert np.abs(heard(tmp_path / "a.wav")[:16000] - sine(16000) * 32767).max() < 2


def _whole(tmp_path: Path) -> bytes:
    return write(tmp_path / "whole.wav", bytes(32000)).read_bytes()


def test_what_is_no_recording_is_refused_in_a_sentence(tmp_path: Path) -> None:
    whole = _whole(tmp_path)
    floats = whole[:20] + struct.pack("<H", 3) + whole[22:]
    bad = {
        "is empty": b"",
        "holds no sound": whole[:40] + bytes(4),
        "is truncated": whole[:-2],
        "not a WAV": b"These are words, and no sound at all.",
        "not a WAV file": floats,
        "has 6 channels": whole[:22] + struct.pack("<H", 6) + whole[24:],
        "has 4000 samples": whole[:24] + struct.pack("<I", 4000) + whole[28:],
    }
    for words, content in bad.items():
        (tmp_path / "bad.wav").write_bytes(content)
        with pytest.raises(ClientError, match=words):
            wav.open_recording(tmp_path / "bad.wav")


@pytest.mark.parametrize("length", [1, 11, 12, 19, 30, 43])
def test_a_header_that_breaks_off_is_truncated(tmp_path: Path, length: int) -> None:
    (tmp_path / "bad.wav").write_bytes(_whole(tmp_path)[:length])
    with pytest.raises(ClientError, match="truncated"):
        wav.open_recording(tmp_path / "bad.wav")


def test_a_recording_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"none\.wav cannot be read"):
        wav.open_recording(tmp_path / "none.wav")
    with pytest.raises(ClientError, match="cannot be read"):
        wav.open_recording(tmp_path)


async def test_a_recording_is_played_in_real_time_then_silence(tmp_path: Path) -> None:
    microphone = FileMicrophone(write(tmp_path / "a.wav", b"\1\0" * 1500))
    began = asyncio.get_running_loop().time()
    microphone.start()
    read = []
    ended = []
    for _ in range(5):
        read.append(await microphone.read())
        ended.append(microphone.ended)
    assert asyncio.get_running_loop().time() - began >= 5 * 0.032
    assert [first for first, _ in read] == [0, 512, 1024, 1536, 2048]
    assert [int(block.sum()) for _, block in read] == [512, 512, 476, 0, 0]
    assert ended == [False, False, True, True, True]
    microphone.close()


async def test_lateness_is_made_up_for(tmp_path: Path) -> None:
    microphone = FileMicrophone(write(tmp_path / "a.wav", b"\1\0" * 3000))
    microphone.start()
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(0.3)
    assert microphone.behind
    for _ in range(8):
        await microphone.read()
    assert not microphone.behind
    assert asyncio.get_running_loop().time() - began < 0.3 + 5 * 0.064
    microphone.close()


def test_a_name_that_looks_like_a_file_is_one() -> None:
    assert is_sound_file("a.wav")
    assert is_sound_file("b/c.WAV")
    assert not is_sound_file("default")
    assert not is_sound_file("USB Audio")
