"""The reply's own sound is told from a person's, however quiet it comes back."""

import numpy as np
import pytest

from server.engines import SAMPLE_RATE_HERTZ, Samples
from server.own_voice import KEPT_S, SHORTEST, OwnVoice
from server.sound import to_pcm

RATE = 24_000


def speech(seconds: float, seed: int, rate: int = SAMPLE_RATE_HERTZ) -> Samples:
    """Syllables of a gliding, trembling voice, 0.1 to 0.25 s each, with short gaps between them."""
    random = np.random.default_rng(seed)
    pieces: list[np.ndarray] = []
    while sum(map(len, pieces)) < seconds * rate:
        count = int(random.uniform(0.1, 0.25) * rate)
        pitch = random.uniform(90, 240) * np.linspace(1, random.uniform(0.85, 1.15), count)
        tremble = np.interp(np.arange(count) / rate * 50, np.arange(13), random.normal(1, 0.05, 13))
        phase = 2 * np.pi * np.cumsum(pitch * tremble) / rate
        voice = sum(random.uniform(0.2, 1) * np.sin(n * phase) for n in range(1, 12))
        pieces += [voice * np.hanning(count), np.zeros(int(random.uniform(0.02, 0.05) * rate))]
    return (0.1 * np.concatenate(pieces)[: round(seconds * rate)]).astype(np.float32)


def saying(sound: Samples, rate: int = SAMPLE_RATE_HERTZ, chunk_s: float = 0.2) -> OwnVoice:
    """Says a sound in pieces, as replies are sent."""
    voice = OwnVoice(rate)
    step = round(chunk_s * rate)
    for first in range(0, len(sound), step):
        voice.said(to_pcm(sound[first : first + step]))
    return voice


def echo(sound: Samples, begin_s: float, seconds: float, down_db: float = 20) -> Samples:
    """A part of a sound, quieter, in a room with a faint noise."""
    begin = round(begin_s * SAMPLE_RATE_HERTZ)
    part = sound[begin : begin + round(seconds * SAMPLE_RATE_HERTZ)]
    noise = np.random.default_rng(9).normal(0, 2e-4, len(part))
    return (part * 10 ** (-down_db / 20) + noise).astype(np.float32)


REPLY = speech(8, seed=1)


@pytest.mark.parametrize("down_db", [0, 12, 20, 30])
@pytest.mark.parametrize("seconds", [0.4, 2.0])
@pytest.mark.parametrize("begin_s", [0, 3.21, 5.9])
def test_an_echo_is_the_reply_come_back(begin_s: float, seconds: float, down_db: float) -> None:
    assert saying(REPLY).comes_back(echo(REPLY, begin_s, seconds, down_db))
    assert saying(REPLY).comes_back(-echo(REPLY, begin_s, seconds, down_db))


@pytest.mark.parametrize("rate", [RATE, 22_050, 48_000])
def test_the_rate_of_the_voice_makes_no_difference(rate: int) -> None:
    spoken = speech(3, seed=1, rate=rate)
    places = np.arange(3 * SAMPLE_RATE_HERTZ) * (rate / SAMPLE_RATE_HERTZ)
    heard = np.interp(places, np.arange(len(spoken)), spoken).astype(np.float32)
    assert saying(spoken, rate).likeness(echo(heard, 1.5, 0.4, 12)) > 0.9


@pytest.mark.parametrize("seed", range(2, 8))
@pytest.mark.parametrize("seconds", [0.4, 2.0])
def test_a_person_is_not_the_reply(seed: int, seconds: float) -> None:
    assert not saying(REPLY).comes_back(speech(seconds, seed))


def test_a_person_over_a_quieter_echo_is_not_the_reply() -> None:
    both = speech(1, seed=2) + echo(REPLY, 2, 1, 12)
    assert not saying(REPLY).comes_back(both)


@pytest.mark.parametrize("heard", [np.zeros(6400), np.full(6400, 0.2)], ids=["silence", "offset"])
def test_silence_is_nobody(heard: Samples) -> None:
    assert saying(REPLY).likeness(heard.astype(np.float32)) < 0.1


def test_noise_is_not_the_reply() -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, 6400).astype(np.float32)
    assert not saying(REPLY).comes_back(noise)


def test_an_offset_of_the_microphone_does_not_hide_an_echo() -> None:
    assert saying(REPLY).comes_back(echo(REPLY, 2, 0.4) + np.float32(0.2))


def test_a_likeness_lies_between_nothing_and_one() -> None:
    voice = saying(np.concatenate([REPLY, np.zeros(2 * SAMPLE_RATE_HERTZ, np.float32), REPLY]))
    for heard in (REPLY[:6400], -REPLY[:6400], speech(0.4, 3), 1e-6 * REPLY[:6400]):
        assert 0 <= voice.likeness(heard) <= 1 + 1e-5


@pytest.mark.parametrize("reply_s", [0.3, 1.0])
def test_an_echo_of_a_reply_shorter_than_what_is_compared_is_found(reply_s: float) -> None:
    short = REPLY[: round(reply_s * SAMPLE_RATE_HERTZ)]
    silence = np.zeros(SAMPLE_RATE_HERTZ // 2, np.float32)
    heard = np.concatenate([silence, echo(short, 0, reply_s), silence])
    assert saying(short).comes_back(heard)
    assert not saying(short).comes_back(speech(reply_s + 1, seed=2))


def test_the_silence_in_a_reply_is_like_nothing() -> None:
    faint = np.random.default_rng(4).normal(0, 1e-4, SAMPLE_RATE_HERTZ)
    voice = saying(np.concatenate([REPLY, faint, REPLY]))
    assert not voice.comes_back((300 * faint[:6400]).astype(np.float32))


def test_what_was_silenced_does_not_come_back() -> None:
    voice = saying(REPLY)
    voice.silence()
    assert voice.likeness(REPLY[:6400]) == 0
    voice.said(to_pcm(REPLY[:16_000]))
    assert voice.comes_back(REPLY[:6400])


def test_what_was_said_long_ago_is_forgotten() -> None:
    voice = saying(REPLY)
    for _ in range(round(KEPT_S)):
        voice.said(to_pcm(speech(1, seed=5)))
    assert not voice.comes_back(REPLY[16_000:22_400])


@pytest.mark.parametrize("count", [0, 1, SHORTEST - 1])
def test_a_sound_too_short_to_compare_is_not_the_reply(count: int) -> None:
    assert saying(REPLY).likeness(REPLY[:count]) == 0


def test_nothing_said_is_nothing_that_comes_back() -> None:
    voice = OwnVoice(RATE)
    voice.said(b"")
    assert voice.likeness(REPLY[:6400]) == 0
