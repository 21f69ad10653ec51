"""Sound between bytes, numbers and files."""

import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from server.errors import RequestError, TadbotError
from server.sound import LONGEST_CHUNK, read_sound, to_pcm, to_samples, write_wav

RATE = 16_000


def test_bytes_become_numbers_and_bytes_again() -> None:
    pcm = np.array([0, 1, -1, 1000, -32767, 32767], "<i2").tobytes()
    samples = to_samples(pcm)
    assert samples.dtype == np.float32
    assert np.abs(samples).max() <= 1
    assert np.frombuffer(to_pcm(samples), "<i2") == pytest.approx(
        np.frombuffer(pcm, "<i2").astype(int), abs=1
    )


def test_the_lowest_sample_is_minus_one() -> None:
    assert to_samples(b"\x00\x80")[0] == -1


def test_no_bytes_are_no_samples() -> None:
    assert len(to_samples(b"")) == 0
    assert to_pcm(np.zeros(0, np.float32)) == b""


def test_what_is_too_loud_is_clipped() -> None:
    loud = np.array([2.0, -2.0, np.inf], np.float32)
    assert np.frombuffer(to_pcm(loud), "<i2").tolist() == [32767, -32767, 32767]


@pytest.mark.parametrize("size", [1, 3, 1025])
def test_an_odd_number_of_bytes_is_refused(size: int) -> None:
    with pytest.raises(RequestError) as refused:
        to_samples(bytes(size))
    assert refused.value.reason == "ODD_BYTES"


def test_a_chunk_may_not_be_longer_than_the_contract_says() -> None:
    assert len(to_samples(bytes(LONGEST_CHUNK))) == LONGEST_CHUNK // 2
    with pytest.raises(RequestError) as refused:
        to_samples(bytes(LONGEST_CHUNK + 2))
    assert refused.value.reason == "CHUNK_TOO_LONG"


def test_a_written_file_is_read_again(tmp_path: Path) -> None:
    tone = np.sin(np.arange(RATE) / 10).astype(np.float32) * 0.5
    write_wav(tmp_path / "tone.wav", tone, RATE)
    again = read_sound(tmp_path / "tone.wav", RATE)
    assert len(again) == len(tone)
    assert np.abs(again - tone).max() < 1e-3


def test_stereo_of_another_rate_is_mixed_and_resampled(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "stereo.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(np.full(2 * 44_100, 1000, "<i2").tobytes())
    samples = read_sound(tmp_path / "stereo.wav", RATE)
    assert samples.ndim == 1
    assert abs(len(samples) - RATE) < 100


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file"),
        (b"", "not sound"),
        (b"this is text, not sound", "not sound"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "not sound"),
    ],
)
def test_what_is_not_sound_is_told_in_a_sentence(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "sound.wav"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TadbotError, match=said) as refused:
        read_sound(file, RATE)
    assert str(file) in str(refused.value)


def test_a_file_without_samples_is_told_in_a_sentence(tmp_path: Path) -> None:
    write_wav(tmp_path / "empty.wav", np.zeros(0, np.float32), RATE)
    with pytest.raises(TadbotError):
        read_sound(tmp_path / "empty.wav", RATE)


def test_a_file_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TadbotError, match="cannot be written"):
        write_wav(tmp_path / "no" / "folder.wav", np.zeros(10, np.float32), RATE)


def test_the_decoder_is_imported_only_to_read_a_file() -> None:
    assert "decode_audio" not in vars(sys.modules["server.sound"])
