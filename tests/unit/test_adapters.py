"""What the adapters compute by themselves, without their models."""

import numpy as np
import pytest

from server.engines.stt_faster_whisper import is_loop
from server.engines.tts_hibari import LEAD_S, TAIL_S, trimmed

RATE = 24_000


@pytest.mark.parametrize(
    "words",
    ["of about 1455 of about 1455 of about 1455 of about", "thank you so much " * 3],
)
def test_a_loop_gives_itself_away(words: str) -> None:
    assert is_loop(words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "no no no no",
        "ask not what your country can do for you ask what you can do",
        "I am, I am",
    ],
)
def test_speech_that_repeats_itself_is_no_loop(words: str) -> None:
    assert not is_loop(words)


def test_the_silence_around_a_sentence_is_cut_down() -> None:
    speech = np.full(RATE, 0.3, np.float32)
    silence = np.zeros(RATE, np.float32)
    cut = trimmed(np.concatenate([silence, speech, silence]), RATE)
    assert len(cut) == pytest.approx(RATE * (1 + LEAD_S + TAIL_S), abs=2)
    assert np.count_nonzero(cut) == RATE


def test_a_sentence_without_silence_stays_as_it_is() -> None:
    speech = np.full(RATE, 0.3, np.float32)
    assert len(trimmed(speech, RATE)) == RATE
    assert len(trimmed(np.zeros(RATE, np.float32), RATE)) == 0
