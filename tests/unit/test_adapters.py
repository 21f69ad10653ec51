"""What the adapters compute by themselves, without their models."""

import numpy as np
import pytest

from server.engines import Heard
from server.engines.stt_faster_whisper import Marks, is_broken_off, is_loop
from server.engines.tts_hibari import (
    COMMA_S,
    LEAD_S,
    PHRASE_S,
    SENTENCE_S,
    pause_after,
    trimmed,
)

RATE = 24_000
VOCABULARY = [".", "\u0120?", ",", "...", "\u0120so", "\u0120sad", "<end>"]
STOP, ASK, COMMA, DOTS, SO, SAD, _ = range(len(VOCABULARY))
RATHER_OVER = np.log([0.5, 0.1, 0.3, 0.02, 0.03, 0.03, 0.02])
ELSEWHERE = np.log([0.01, 0.01, 0.01, 0.01, 0.9, 0.05, 0.01])


class Vocabulary:
    """A tokenizer of few words, in byte-level BPE."""

    def token_to_id(self, token: str) -> int | None:
        return VOCABULARY.index(token) if token in VOCABULARY else None


MARKS = Marks(Vocabulary())


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


@pytest.mark.parametrize("written", [[], [STOP], [ASK], [COMMA], [DOTS], [DOTS, STOP]])
def test_the_mark_after_the_last_word_counts_whatever_was_written(written: list[int]) -> None:
    tokens = [SO, SAD, *written]
    logits = [ELSEWHERE, ELSEWHERE, RATHER_OVER, *[ELSEWHERE] * len(written)]
    assert MARKS.at_end(tokens, logits) == (pytest.approx(0.6), pytest.approx(0.3))


def test_a_mark_inside_the_sentence_is_not_its_end() -> None:
    logits = [ELSEWHERE, RATHER_OVER, ELSEWHERE, ELSEWHERE]
    assert MARKS.at_end([SO, COMMA, SAD], logits)[0] == pytest.approx(0.02)


def test_marks_alone_are_judged_where_the_first_word_would_stand() -> None:
    assert MARKS.at_end([DOTS], [RATHER_OVER, ELSEWHERE])[0] == pytest.approx(0.6)
    assert MARKS.at_end([], [RATHER_OVER])[0] == pytest.approx(0.6)


@pytest.mark.parametrize("logits", [[], [RATHER_OVER]])
def test_no_vector_after_the_last_word_is_no_judgement(logits: list[np.ndarray]) -> None:
    assert MARKS.at_end([SO], logits) == (None, 0.0)


@pytest.mark.parametrize("shift", [-3e4, 3e4])
def test_logits_of_any_size_give_probabilities(shift: float) -> None:
    ends, goes_on = MARKS.at_end([], [RATHER_OVER.reshape(1, -1) + shift])
    assert (ends, goes_on) == (pytest.approx(0.6, rel=0.01), pytest.approx(0.3, rel=0.01))


@pytest.mark.parametrize("tail_s", [0, PHRASE_S, SENTENCE_S])
def test_the_silence_around_a_sentence_is_cut_down(tail_s: float) -> None:
    speech = np.full(RATE, 0.3, np.float32)
    silence = np.zeros(RATE, np.float32)
    cut = trimmed(np.concatenate([silence, speech, silence]), RATE, tail_s)
    assert len(cut) == pytest.approx(RATE * (1 + LEAD_S + tail_s), abs=2)
    assert np.count_nonzero(cut) == pytest.approx(RATE, abs=1)


def test_a_sentence_without_silence_stays_as_it_is() -> None:
    speech = np.full(RATE, 0.3, np.float32)
    assert len(trimmed(speech, RATE)) == RATE
    assert len(trimmed(np.zeros(RATE, np.float32), RATE)) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("I am here.", SENTENCE_S),
        ("Are you?  ", SENTENCE_S),
        ('She said "no!"', SENTENCE_S),
        ("(It was late.)", SENTENCE_S),
        ("And then…", SENTENCE_S),
        ("It sounds hard, ", COMMA_S),
        ("Two things;", COMMA_S),
        ("It has been a long week", PHRASE_S),
        ("the year 1455", PHRASE_S),
    ],
)
def test_the_mark_says_how_long_the_voice_rests(text: str, seconds: float) -> None:
    assert pause_after(text) == seconds


@pytest.mark.parametrize(
    ("words", "seconds", "certainty", "ends", "broken"),
    [
        ("I went", 3.1, 0.46, 0.05, True),
        ("My mother is ill again", 2.7, 0.39, 0.11, True),
        ("I went", 3.1, 0.46, 0.9, False),
        ("I went", 3.1, 0.9, 0.05, False),
        ("I have been feeling low since my brother left", 2.8, 0.54, 0.1, False),
        ("Hmm", 0.6, 0.4, 0.1, False),
        ("I went", 3.1, None, None, False),
    ],
)
def test_words_that_were_lost_give_themselves_away(
    words: str, seconds: float, certainty: float | None, ends: float | None, broken: bool
) -> None:
    heard = Heard(words, "en", ends, 0.0, certainty)
    assert is_broken_off(heard, seconds) is broken
