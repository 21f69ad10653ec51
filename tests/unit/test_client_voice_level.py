"""Whether somebody speaks, judged by level alone."""

import numpy as np
import pytest

from pi_client.sound import BLOCK_S, BLOCK_SAMPLES, SAMPLE_RATE_HERTZ, Samples
from pi_client.voice_level import VoiceLevel

RATE = SAMPLE_RATE_HERTZ
NOTHING_PLAYED = -np.inf


def noise(seconds: float, dbfs: float, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    return 32768 * 10 ** (dbfs / 20) * random.standard_normal(round(seconds * RATE))


def tone(seconds: float, dbfs: float, hertz: float = 300.0) -> np.ndarray:
    way = 2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE
    return 32768 * 10 ** (dbfs / 20) * np.sqrt(2) * np.sin(way)


def as_sound(samples: np.ndarray) -> Samples:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


class Ear:
    """Hears one thing after the other."""

    def __init__(self) -> None:
        self.voice = VoiceLevel()
        self.now = 0

    def hear(self, *parts: np.ndarray, played_dbfs: float = NOTHING_PLAYED) -> list[bool]:
        """Whether there was voice, block by block."""
        samples = as_sound(np.concatenate(parts))
        said = []
        for begin in range(0, len(samples) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
            self.voice.hear(self.now, samples[begin : begin + BLOCK_SAMPLES], played_dbfs)
            self.now += BLOCK_SAMPLES
            said.append(self.voice.speaking)
        return said


def heard(*parts: np.ndarray, played_dbfs: float = NOTHING_PLAYED) -> list[bool]:
    return Ear().hear(*parts, played_dbfs=played_dbfs)


def at(seconds: float) -> int:
    """The number of a block by its time."""
    return round(seconds / BLOCK_S)


def quiet(seconds: float) -> np.ndarray:
    return noise(seconds, -70.0, seed=2)


@pytest.mark.parametrize("place", range(0, BLOCK_SAMPLES, 128))
def test_speech_is_heard_in_the_block_it_begins_in_or_the_next(place: int) -> None:
    said = heard(quiet(20 * BLOCK_SAMPLES / RATE), quiet(place / RATE), tone(0.5, -30))
    judged = (said.index(True) - 19) * BLOCK_SAMPLES
    # 20 ms of ramp follow, and it stands.
    assert 0 < judged - place <= 0.08 * RATE


def test_a_talk_may_begin_with_speech() -> None:
    assert heard(tone(0.3, -30))[0]


@pytest.mark.parametrize("place", range(0, 512, 50))
@pytest.mark.parametrize("length", [1, 40, 120])
def test_a_click_is_no_voice_wherever_it_lies(place: int, length: int) -> None:
    click = as_sound(noise(length / RATE, 0.0))
    assert True not in heard(quiet(0.5), quiet(place / RATE), click, quiet(0.5))


@pytest.mark.parametrize("level", [-60.0, -52.0])
def test_what_is_quieter_than_50_db_below_full_scale_is_no_voice(level: float) -> None:
    assert True not in heard(tone(1.0, level))


@pytest.mark.parametrize("level", [-45.0, -25.0, -6.0, 6.0])
@pytest.mark.parametrize("kind", [noise, tone])
def test_what_is_steady_is_learnt_within_two_seconds(kind: object, level: float) -> None:
    assert callable(kind)
    said = heard(quiet(3.0), kind(6.0, level))
    assert any(said[at(3.0) : at(3.15)])
    assert True not in said[at(5.1) :]


def test_a_voice_over_learnt_noise_is_heard() -> None:
    hum = noise(6.0, -40)
    voice = np.concatenate([np.zeros(4 * RATE), tone(2.0, -25)])
    said = heard(hum + voice)
    assert not any(said[at(3.8) : at(4.0)])
    assert any(said[at(4.0) : at(4.15)])


@pytest.mark.parametrize("offset", [-8000, 500, 20000])
def test_a_dc_offset_is_no_voice(offset: int) -> None:
    said = heard(quiet(1.0), quiet(2.0) + offset)
    assert True not in said


def test_speech_with_pauses_does_not_become_the_rooms_noise() -> None:
    syllables = [part for _ in range(40) for part in (tone(0.2, -30), quiet(0.05))]
    said = heard(*syllables)
    assert np.mean(said[-at(4.0) :]) > 0.9


@pytest.mark.parametrize(("below", "voice"), [(12.0, False), (18.0, False), (0.0, True)])
def test_what_is_10_db_under_the_playback_is_its_echo(below: float, voice: bool) -> None:
    assert any(heard(tone(1.0, -20.0 - below), played_dbfs=-20.0)) is voice


def test_the_playback_is_remembered_for_300_ms() -> None:
    ear = Ear()
    ear.hear(quiet(1.0), played_dbfs=-20.0)
    assert 0.24 <= ear.hear(tone(0.5, -32.0)).index(True) * BLOCK_S <= 0.32


@pytest.mark.parametrize(("seconds", "lasts"), [(0.15, False), (0.25, True)])
@pytest.mark.parametrize("place", range(0, BLOCK_SAMPLES, 128))
def test_a_voice_lasts_from_a_fifth_of_a_second(seconds: float, lasts: bool, place: int) -> None:
    ear = Ear()
    ear.hear(quiet(1.024))
    samples = np.concatenate([quiet(place / RATE), tone(seconds, -30), quiet(0.2)])
    blocks = samples[: 10 * BLOCK_SAMPLES].reshape(10, -1)
    seen = [ear.hear(block) and ear.voice.lasting for block in blocks]
    assert any(seen) is lasts


def test_absence_is_counted_from_the_last_voice() -> None:
    ear = Ear()
    ear.hear(tone(0.256, -30), quiet(0.128))
    assert ear.voice.absent_samples == 0.128 * RATE
    assert not ear.voice.speaking


def test_what_is_learnt_must_be_exceeded_until_it_is_forgotten() -> None:
    ear = Ear()
    assert any(ear.hear(tone(0.32, -25), quiet(0.512)))
    ear.voice.learn()
    assert not any(ear.hear(tone(0.32, -25), quiet(0.512)))
    assert any(ear.hear(tone(0.32, -18), quiet(0.512)))
    ear.voice.forget()
    assert any(ear.hear(tone(0.32, -25)))


def test_learnt_noise_fades_when_it_is_not_heard_any_more() -> None:
    ear = Ear()
    ear.hear(tone(0.32, -25), quiet(0.064))
    ear.voice.learn()
    assert not any(ear.hear(quiet(9.0), tone(0.32, -25)))
    assert any(ear.hear(quiet(12.5), tone(0.32, -25)))
