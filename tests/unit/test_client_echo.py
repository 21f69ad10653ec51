"""The client does not hear itself."""

import numpy as np

from pi_client.echo import EchoPath


def loudness(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def room(seconds: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """What is played at 16 kHz, and what comes back of it after 60 ms, quieter."""
    random = np.random.default_rng(1)
    count = round(seconds * 16000)
    played = 4000 * random.standard_normal(count)
    played *= 0.5 + 0.5 * np.sin(2 * np.pi * 3 * np.arange(count) / 16000)
    back = np.zeros(count)
    back[960:] = 0.5 * played[:-960]
    return played.clip(-32000, 32000).astype(np.int16), back.astype(np.int16)


def test_what_is_played_is_taken_out() -> None:
    played, back = room()
    echo = EchoPath()
    clean = []
    for begin in range(0, len(played) - 1024, 1024):
        echo.played(played[begin : begin + 1024])
        clean.append(echo.clean(back[begin : begin + 1024]))
    assert {len(block) for block in clean} == {1024}
    left = np.concatenate(clean)[-32000:]
    assert loudness(left) < loudness(back[-32000:]) / 5


def test_a_person_is_heard_while_nothing_plays() -> None:
    voice = (6000 * np.sin(2 * np.pi * 300 * np.arange(32000) / 16000)).astype(np.int16)
    echo = EchoPath()
    clean = [echo.clean(block) for block in voice[: 31 * 1024].reshape(-1, 1024)]
    assert loudness(np.concatenate(clean)[8000:]) > loudness(voice) / 2


def test_sound_of_another_rate_is_followed() -> None:
    echo = EchoPath()
    echo.plays_at(22050)
    for _ in range(200):
        echo.played(np.ones(1411, dtype=np.int16))
        assert len(echo.clean(np.zeros(1024, dtype=np.int16))) == 1024
