"""Who has the word, decided from scripted probabilities of speech; and whose voice it is."""

import numpy as np
import pytest

from server.engines import SAMPLE_RATE_HERTZ, VOICE_WINDOW, Samples
from server.turn_taking import (
    AGAIN_WINDOWS,
    FAR_DB,
    MARGIN,
    MOST_REFUSED,
    ONSET_SPAN,
    ONSET_WINDOWS,
    SPEECH,
    Change,
    Nearness,
    TurnTaking,
    level_db,
)

VOICE, DOUBT, QUIET = 0.9, 0.4, 0.01
PATIENCE = 25
"""Windows in 0.8 s."""
WINDOW_S = VOICE_WINDOW / SAMPLE_RATE_HERTZ


def turn_taking(patience_s: float = 0.8, max_utterance_s: float = 30) -> TurnTaking:
    return TurnTaking(patience_s, max_utterance_s)


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


def test_a_word_that_is_in_doubt_for_long_begins_with_its_first_window() -> None:
    runs = [(SPEECH, 1), (DOUBT, ONSET_SPAN - 1)]
    assert feed(turn_taking(), (QUIET, 30), *runs) == [Change("started", 30 * VOICE_WINDOW)]


def test_doubt_alone_is_no_beginning() -> None:
    assert feed(turn_taking(), (DOUBT, 100)) == []
    assert feed(turn_taking(), *[(SPEECH, 1), (DOUBT, ONSET_SPAN - 2), (QUIET, 1)] * 50) == []


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
    turns = turn_taking(1.6)
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


@pytest.mark.parametrize("dropped", [False, True])
def test_the_margin_never_reaches_into_the_turn_before(dropped: bool) -> None:
    turns = turn_taking(0.2)
    feed(turns, (VOICE, 20), (QUIET, 5))
    turns.drop() if dropped else feed(turns, (QUIET, 1))
    ended = turns.position
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
    turns = turn_taking(0.2)
    feed(turns, (VOICE, 20), (QUIET, 6))
    assert feed(turns, (VOICE, ONSET_WINDOWS - 1), (QUIET, 20)) == []


def test_a_longer_wait_is_for_one_utterance_only() -> None:
    turns = turn_taking(0.5)
    feed(turns, (VOICE, 20))
    turns.wait_for(2.0)
    assert feed(turns, (QUIET, 30)) == []
    assert [one.kind for one in feed(turns, (QUIET, 40))] == ["over"]
    assert [one.kind for one in feed(turns, (VOICE, 20), (QUIET, 17))] == ["started", "over"]


def test_a_wait_that_has_passed_already_ends_the_turn_with_the_next_silence() -> None:
    turns = turn_taking()
    feed(turns, (VOICE, 20), (QUIET, 10))
    turns.wait_for(0.1)
    assert feed(turns, (QUIET, 1)) == [Change("over", 20 * VOICE_WINDOW)]


def test_silence_is_counted_while_somebody_has_the_word() -> None:
    turns = turn_taking()
    counts = []
    for run in [(QUIET, 9), (VOICE, 20), (QUIET, 1), (QUIET, 9), (VOICE, AGAIN_WINDOWS)]:
        feed(turns, run)
        counts.append(turns.silent_windows)
    assert counts == [0, 0, 1, 10, 0]
    feed(turns, (QUIET, PATIENCE))
    assert turns.silent_windows == 0


@pytest.mark.parametrize("at", [1, 12, PATIENCE - 2])
def test_a_click_does_not_end_a_pause(at: int) -> None:
    turns = turn_taking()
    click = (VOICE, AGAIN_WINDOWS - 1)
    feed(turns, (VOICE, 20), (QUIET, at), click)
    assert turns.silent_windows == at + 1
    assert feed(turns, (QUIET, PATIENCE - at - 1)) == [Change("over", 20 * VOICE_WINDOW)]


def test_a_turn_never_ends_with_a_voiced_window() -> None:
    turns = turn_taking()
    assert feed(turns, (VOICE, 20), (QUIET, PATIENCE - 1), (VOICE, 1))[1:] == []
    assert feed(turns, (QUIET, 1)) == [Change("over", 20 * VOICE_WINDOW)]


@pytest.mark.parametrize("pause", [1, 7, PATIENCE - 1])
def test_a_pause_that_was_bridged_is_as_long_as_the_silence(pause: int) -> None:
    turns = turn_taking()
    feed(turns, (VOICE, 20), (QUIET, pause), (VOICE, AGAIN_WINDOWS))
    assert turns.bridged_s == pytest.approx(pause * WINDOW_S)
    feed(turns, (VOICE, 30), (QUIET, 2))
    assert turns.bridged_s == pytest.approx(pause * WINDOW_S)


def test_speech_is_counted_without_its_pauses() -> None:
    turns = turn_taking()
    feed(turns, (QUIET, 30), (VOICE, 20), (QUIET, 10), (VOICE, 10), (QUIET, 10))
    assert turns.voiced_s == pytest.approx(30 * WINDOW_S)
    feed(turns, (QUIET, PATIENCE), (VOICE, 8))
    assert turns.voiced_s == pytest.approx(8 * WINDOW_S)


def test_the_position_is_what_was_judged() -> None:
    turns = turn_taking()
    feed(turns, (QUIET, 3), (VOICE, 20), (QUIET, 40))
    assert turns.position == 63 * VOICE_WINDOW


@pytest.mark.parametrize("silent", [0, 10])
def test_speech_that_was_dropped_never_ends(silent: int) -> None:
    turns = turn_taking()
    feed(turns, (VOICE, 20), (QUIET, silent))
    turns.drop()
    assert not turns.speaking
    assert turns.silent_windows == 0
    assert feed(turns, (QUIET, 100)) == []


def test_who_speaks_on_after_a_drop_begins_anew() -> None:
    turns = turn_taking()
    feed(turns, (VOICE, 20))
    turns.wait_for(5)
    turns.drop()
    began, over = feed(turns, (VOICE, 20), (QUIET, PATIENCE))
    assert began == Change("started", 20 * VOICE_WINDOW)
    assert over == Change("over", 40 * VOICE_WINDOW)


def test_a_drop_in_silence_changes_nothing() -> None:
    turns = turn_taking()
    feed(turns, (QUIET, 40), (VOICE, ONSET_WINDOWS - 1))
    turns.drop()
    assert feed(turns, (VOICE, 1)) == [Change("started", 40 * VOICE_WINDOW)]
    assert turns.start == 40 * VOICE_WINDOW - MARGIN


# Near and far.


def knowing(*levels: float) -> Nearness:
    nearness = Nearness()
    for level in levels:
        nearness.spoke(level)
    return nearness


@pytest.mark.parametrize("level", [-100.0, -60.0, -6.0])
def test_nobody_is_far_before_the_person_was_heard(level: float) -> None:
    assert not Nearness().is_far(level)


@pytest.mark.parametrize(
    ("below_db", "far"), [(-6, False), (0, False), (15, False), (20, False), (30, True), (60, True)]
)
def test_a_whisper_is_near_and_a_television_is_far(below_db: float, far: bool) -> None:
    assert knowing(-25, -25).is_far(-25 - below_db) is far


def test_a_louder_voice_is_the_measure_at_once_and_a_quieter_one_slowly() -> None:
    louder = knowing(-40, -20)
    assert louder.is_far(-20 - FAR_DB - 1)
    quieter = knowing(-20, -40)
    assert quieter.is_far(-40 - FAR_DB + 1)
    for _ in range(12):
        quieter.spoke(-40)
    assert not quieter.is_far(-40 - FAR_DB + 1)


def test_a_person_who_moved_away_is_heard_again() -> None:
    nearness = knowing(-20)
    refused = [nearness.is_far(-20 - FAR_DB - 6) for _ in range(MOST_REFUSED + 2)]
    assert refused == [True] * (MOST_REFUSED + 1) + [False]


def test_a_television_is_refused_as_long_as_the_person_speaks_now_and_then() -> None:
    nearness = knowing(-20)
    for _ in range(20):
        assert all(nearness.is_far(-50) for _ in range(MOST_REFUSED - 1))
        nearness.spoke(-20)


def sine(amplitude: float, seconds: float = 1.0) -> Samples:
    phase = np.arange(round(seconds * SAMPLE_RATE_HERTZ)) * (2 * np.pi * 200 / SAMPLE_RATE_HERTZ)
    return (amplitude * np.sin(phase)).astype(np.float32)


@pytest.mark.parametrize(
    ("sound", "level"),
    [
        (sine(1.0), -3.01),
        (sine(0.5), -9.03),
        (sine(0.01), -43.01),
        (np.sign(sine(1.0)), 0.0),
        (sine(0.5) + np.float32(0.3), -9.03),
        (np.concatenate([np.zeros(4 * SAMPLE_RATE_HERTZ, np.float32), sine(0.5)]), -9.03),
        (np.zeros(SAMPLE_RATE_HERTZ, np.float32), -100.0),
        (sine(0.5, 0.01), -100.0),
    ],
    ids=["full", "half", "faint", "clipped", "offset", "after silence", "silent", "too short"],
)
def test_the_level_is_that_of_the_voice_in_the_sound(sound: Samples, level: float) -> None:
    assert level_db(sound) == pytest.approx(level, abs=0.2)
