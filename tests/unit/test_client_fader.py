"""A gain that goes where it is told in 20 ms, without a step."""

import numpy as np
import pytest

from pi_client.fader import Fader

RATE = 1000


def shaped(fader: Fader, count: int) -> list[int]:
    samples = np.full(count, 1000, dtype=np.int16)
    fader.shape(samples)
    return samples.tolist()


def test_full_gain_leaves_sound_as_it_is() -> None:
    assert shaped(Fader(), 3) == [1000, 1000, 1000]


@pytest.mark.parametrize("gain", [0.0, 0.1, 0.5])
def test_the_way_to_a_gain_takes_20_ms_in_pieces_of_any_size(gain: float) -> None:
    fader = Fader()
    fader.aim(gain, RATE)
    assert fader.samples_left == 20
    way = [*shaped(fader, 7), *shaped(fader, 0), *shaped(fader, 12), *shaped(fader, 5)]
    assert np.abs(np.diff([1000, *way])).max() <= 51
    assert way[18] > 1000 * gain
    assert way[19:] == pytest.approx([1000 * gain] * 5, abs=1)
    assert (fader.gain, fader.samples_left) == (gain, 0)


def test_a_way_can_turn_before_its_end() -> None:
    fader = Fader()
    fader.aim(0.0, RATE)
    shaped(fader, 10)
    fader.aim(1.0, RATE)
    way = shaped(fader, 25)
    assert way == sorted(way)
    assert (way[0], way[19]) == (525, 1000)


def test_a_jump_takes_no_time() -> None:
    fader = Fader()
    fader.aim(0.0, RATE)
    fader.jump(0.5)
    assert shaped(fader, 2) == [500, 500]
