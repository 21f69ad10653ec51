"""Who has the word, decided from scripted probabilities of speech."""

import pytest

from server.engines import SAMPLE_RATE_HERTZ, VOICE_WINDOW
from server.turn_taking import (
    MARGIN,
    ONSET_SPAN,
    ONSET_WINDOWS,
    PAUSE_WINDOWS,
    UNFINISHED_PATIENCE,
    Change,
    TurnTaking,
    patience_for,
)

VOICE, DOUBT, QUIET = 0.9, 0.4, 0.01
PATIENCE = 25
"""Windows in 0.8 s."""


def turn_taking(end_of_turn_s: float = 0.8, max_utterance_s: float = 30) -> TurnTaking:
    return TurnTaking(end_of_turn_s, max_utterance_s)


def feed(turns: TurnTaking, *runs: tuple[float, int]) -> list[Change]:
    """Feeds runs of (probability, windows) and lists what changed."""
    changes = [turns.feed(probability) for probability, count in runs for _ in range(count)]
    return [change for change in changes if change is not None]


def test_speech_begins_at_its_first_voiced_window() -> None:
    turns = turn_taking()
    assert feed(turns, (QUIET, 40), (VOICE, ONSET_WINDOWS)) == [
        Change("started", 40 * VOICE_WINDOW)
    ]
    assert turns.speaking


@pytest.mark.parametrize("windows", [1, 3, ONSET_WINDOWS - 1])
def test_a_cough_is_no_beginning(windows: int) -> None:
    turns = turn_taking()
    assert feed(turns, (QUIET, 10), (VOICE, windows), (QUIET, 40)) == []
    assert not turns.speaking


def test_clicks_that_do_not_join_up_are_no_beginning() -> None:
    assert feed(turn_taking(), *[(VOICE, 1), (QUIET, 2)] * 50) == []


def test_a_stammered_beginning_counts_from_its_first_sound() -> None:
    runs = [(VOICE, 2), (QUIET, 1), (VOICE, 2), (QUIET, 1), (VOICE, 2)]
    assert sum(count for _, count in runs) <= ONSET_SPAN
    assert feed(turn_taking(), (QUIET, 30), *runs) == [Change("started", 30 * VOICE_WINDOW)]


def test_a_pause_shorter_than_the_patience_is_part_of_the_turn() -> None:
    turns = turn_taking()
    pause = (QUIET, PATIENCE - 1)
    assert [one.kind for one in feed(turns, (VOICE, 20), pause, (VOICE, 20), pause)] == ["started"]
    assert turns.speaking


def test_a_pause_as_long_as_the_patience_ends_the_turn() -> None:
    turns = turn_taking()
    changes = feed(turns, (VOICE, 20), (QUIET, PATIENCE))
    assert changes == [Change("started", 0), Change("over", 20 * VOICE_WINDOW)]
    assert not turns.speaking


def test_patience_follows_the_settings() -> None:
    turns = turn_taking(end_of_turn_s=1.6)
    assert len(feed(turns, (VOICE, 20), (QUIET, 2 * PATIENCE - 1))) == 1
    assert [one.kind for one in feed(turns, (QUIET, 1))] == ["over"]


def test_a_doubtful_window_goes_on_with_what_was_before_it() -> None:
    assert feed(turn_taking(), (DOUBT, 100)) == []
    speaking = turn_taking()
    assert len(feed(speaking, (VOICE, 20), (DOUBT, 100))) == 1
    assert speaking.speaking
    assert speaking.last_voiced == 120 * VOICE_WINDOW
    falling = turn_taking()
    ended = feed(falling, (VOICE, 20), (QUIET, 1), (DOUBT, PATIENCE))[-1]
    assert ended == Change("over", 20 * VOICE_WINDOW)


def test_the_margin_keeps_the_first_consonant() -> None:
    turns = turn_taking()
    feed(turns, (QUIET, 40), (VOICE, 10))
    assert turns.start == 40 * VOICE_WINDOW - MARGIN


def test_the_margin_never_reaches_before_the_first_sample() -> None:
    turns = turn_taking()
    feed(turns, (QUIET, 2), (VOICE, 10))
    assert turns.start == 0


def test_the_margin_never_reaches_into_the_turn_before() -> None:
    turns = turn_taking(end_of_turn_s=0.2)
    feed(turns, (VOICE, 20), (QUIET, 6))
    ended = 26 * VOICE_WINDOW
    feed(turns, (QUIET, 1), (VOICE, 10))
    assert ended - MARGIN < turns.start
    assert turns.start == ended


def test_speech_without_a_pause_is_cut() -> None:
    turns = turn_taking(max_utterance_s=5)
    changes = feed(turns, (VOICE, 157))
    windows = -(-5 * SAMPLE_RATE_HERTZ // VOICE_WINDOW)
    assert changes == [Change("started", 0), Change("cut", windows * VOICE_WINDOW)]


def test_after_a_cut_nothing_overlaps_and_nothing_is_lost() -> None:
    turns = turn_taking(max_utterance_s=5)
    starts, ends = [], []
    for _ in range(2000):
        change = turns.feed(VOICE)
        if change and change.kind == "started":
            starts.append(turns.start)
        elif change:
            ends.append(change.at)
    assert len(ends) > 10
    assert starts[1:] == ends[: len(starts) - 1]


def test_turns_follow_one_another() -> None:
    changes = feed(turn_taking(), *[(VOICE, 20), (QUIET, 30)] * 3)
    assert [one.kind for one in changes] == ["started", "over"] * 3
    assert [one.at for one in changes] == sorted(one.at for one in changes)


def test_a_cough_after_a_turn_does_not_join_its_last_windows() -> None:
    turns = turn_taking(end_of_turn_s=0.2)
    feed(turns, (VOICE, 20), (QUIET, 6))
    assert feed(turns, (VOICE, ONSET_WINDOWS - 1), (QUIET, 20)) == []


@pytest.mark.parametrize(
    "words",
    [
        "I feel sad.",
        "What do you think?",
        "I miss you.",
        "Who is it for?",
        "Yeah, I am.",
        "Yes",
        "",
    ],
)
def test_words_that_can_be_the_end_wait_no_longer(words: str) -> None:
    assert patience_for(words, 0.8) == 0.8


@pytest.mark.parametrize(
    "words",
    [
        "I feel sad because.",
        "My sister and",
        "I went to the",
        "I am so, um.",
        "Well,",
        "I...",
        "I feel like.",
    ],
)
def test_words_that_cannot_be_the_end_wait_longer(words: str) -> None:
    assert patience_for(words, 0.8) == 0.8 * UNFINISHED_PATIENCE


def test_a_pause_is_told_before_the_turn_is_over() -> None:
    turns = turn_taking()
    feed(turns, (VOICE, 20), (QUIET, PAUSE_WINDOWS - 1))
    assert not turns.pausing
    feed(turns, (QUIET, 1))
    assert turns.pausing
    feed(turns, (VOICE, 1))
    assert not turns.pausing


def test_a_longer_wait_is_for_one_utterance_only() -> None:
    turns = turn_taking(end_of_turn_s=0.5)
    feed(turns, (VOICE, 20))
    turns.wait_for(2.0)
    assert feed(turns, (QUIET, 30)) == []
    assert [one.kind for one in feed(turns, (QUIET, 40))] == ["over"]
    assert [one.kind for one in feed(turns, (VOICE, 20), (QUIET, 17))] == ["started", "over"]
