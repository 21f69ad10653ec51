"""A reply goes back to the start of a word, and knows which of its sentences is protected."""

import numpy as np
import pytest

from pi_client.reply import Reply, word_begin
from pi_client.sound import Samples

RATE = 16000


def sound(*parts: float, seed: int = 1) -> Samples:
    """Noise and pauses by turns, each so many seconds long, beginning with noise."""
    random = np.random.default_rng(seed)
    pieces = [
        (0 if number % 2 else 3000) * random.standard_normal(round(seconds * RATE))
        for number, seconds in enumerate(parts)
    ]
    return np.concatenate(pieces).astype(np.int16)


def begin_s(past: Samples, from_start: bool = False) -> float:
    return word_begin(past, RATE, from_start) / RATE


@pytest.mark.parametrize("gap", [0.04, 0.08, 0.3])
@pytest.mark.parametrize("word", [0.05, 0.2, 0.45, 0.7])
def test_a_word_begins_at_the_end_of_the_nearest_gap(gap: float, word: float) -> None:
    begin = begin_s(sound(0.4, 0.1, 0.3, gap, word))
    # The 20 ms before are a ramp, in the gap.
    assert begin == pytest.approx(0.8 + gap - 0.02, abs=0.011)


def test_in_a_gap_the_next_word_is_the_one() -> None:
    assert begin_s(sound(0.5, 0.2)) == pytest.approx(0.68, abs=0.001)


def test_a_closure_shorter_than_30_ms_is_no_gap() -> None:
    assert begin_s(sound(1.0, 0.015, 0.2)) == pytest.approx(1.215 - 0.3, abs=0.001)


def test_without_a_gap_it_goes_back_by_0_3_s() -> None:
    assert begin_s(sound(1.5)) == pytest.approx(1.2, abs=0.001)
    assert begin_s(sound(0.5, 0.1, 0.9)) == pytest.approx(1.2, abs=0.001)


def test_a_beginning_that_is_near_is_where_the_word_begins() -> None:
    assert begin_s(sound(0.5), from_start=True) == 0.0
    assert begin_s(sound(0.01), from_start=True) == 0.0
    assert begin_s(sound(0.1), from_start=False) == 0.0
    assert begin_s(sound(0.0), from_start=True) == 0.0


def test_breath_20_db_under_the_words_is_a_gap() -> None:
    past = sound(0.5, 0.1, 0.3).astype(float)
    past[8000:9600] = 200 * np.random.default_rng(2).standard_normal(1600)
    assert begin_s(past.astype(np.int16)) == pytest.approx(0.58, abs=0.011)


def reply_of(samples: Samples) -> Reply:
    reply = Reply((1, 0), RATE)
    reply.chunks.extend(np.split(samples, range(1000, len(samples), 1000)))
    reply.arrived = len(samples)
    return reply


def test_a_reply_gives_again_what_it_went_back_over() -> None:
    samples = sound(0.6, 0.1, 2.0)
    reply = reply_of(samples)
    reply.take(np.empty(RATE, dtype=np.int16))
    reply.mark = reply.heard
    reply.take(np.empty(5000, dtype=np.int16))
    reply.rewind()
    assert reply.heard / RATE == pytest.approx(0.68, abs=0.011)
    again = np.empty(len(samples) - reply.heard, dtype=np.int16)
    begin = reply.heard
    assert reply.take(again) == len(again)
    assert again.tolist() == samples[begin:].tolist()
    assert reply.told(finished=True).sample_count == len(samples)


def test_it_goes_back_at_most_a_second_and_a_half() -> None:
    reply = reply_of(sound(20.0))
    reply.take(np.empty(5 * RATE, dtype=np.int16))
    reply.mark = reply.heard
    reply.take(np.empty(10 * RATE, dtype=np.int16))
    reply.rewind()
    # It gave way for longer than is remembered: 0.7 s, and 0.3 s without a gap.
    assert reply.heard / RATE == pytest.approx(14.0, abs=0.001)


def test_a_reply_that_was_not_heard_has_no_way_back() -> None:
    reply = reply_of(sound(1.0))
    reply.rewind()
    assert (reply.heard, reply.begun) == (0, False)


def test_a_sentence_is_protected_from_its_first_sample_to_the_next() -> None:
    reply = reply_of(sound(3.0))
    assert not reply.protected
    for first_sample, protected in ((0, False), (RATE, True), (2 * RATE, False)):
        reply.add_piece(first_sample, protected)
    seen = []
    for _ in range(5):
        seen.append(reply.protected)
        reply.take(np.empty(RATE // 2, dtype=np.int16))
    assert seen == [False, False, True, True, False]
