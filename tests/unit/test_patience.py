"""How long is waited in a pause, from words, marks, the fading of a voice and a person's habits."""

import math

import numpy as np
import pytest

from server.engines import SAMPLE_RATE_HERTZ, Heard, Samples
from server.patience import (
    BROKEN_OFF_DB,
    CAUTION_S,
    FADE_UNKNOWN_DB,
    HABIT_S,
    HESITANT_S,
    LIKELY_S,
    LONGEST_HABIT_S,
    MOST_CAUTION,
    OPEN_S,
    PACES,
    SURE_S,
    TROUBLED,
    UNKNOWN_S,
    UNSURE_S,
    Patience,
    Pause,
    end_probability,
    fade_db,
    is_open,
)

NORMAL_S = UNKNOWN_S
OVER = Pause(Heard("I slept badly.", ends=0.95), 20)
LIKELY = Pause(Heard("I slept badly.", ends=0.6), 14)
UNSURE = Pause(Heard("I slept badly.", ends=0.6), 10)
PHRASE = Pause(Heard("I slept badly,", ends=0.05, goes_on=0.7), 8)
BROKEN_OFF = Pause(Heard("I slept badly.", ends=0.05, goes_on=0.05), 5)
OPEN = Pause(Heard("I slept badly because.", ends=0.95), 20)
UNTOLD = Pause(Heard("I slept badly."))


def seconds(pause: Pause, pace: str = "normal", normal_s: float = NORMAL_S) -> float:
    return Patience(normal_s, pace).seconds(pause)


@pytest.mark.parametrize(
    ("pause", "expected"),
    [
        (OVER, SURE_S),
        (Pause(Heard("Did you hear that?", ends=0.9), 18), SURE_S),
        (LIKELY, LIKELY_S),
        (UNSURE, UNSURE_S),
        (PHRASE, UNSURE_S),
        (Pause(PHRASE.heard, BROKEN_OFF_DB + 1), LIKELY_S),
        (BROKEN_OFF, OPEN_S),
        (Pause(BROKEN_OFF.heard, BROKEN_OFF_DB + 1), LIKELY_S),
        (OPEN, OPEN_S),
        (UNTOLD, UNKNOWN_S),
        (Pause(Heard("I slept badly because")), OPEN_S),
        (Pause(Heard("")), UNKNOWN_S),
        (Pause(Heard("", ends=0.0), 3), UNKNOWN_S),
    ],
)
def test_the_wait_follows_from_the_words_and_the_voice(pause: Pause, expected: float) -> None:
    assert seconds(pause) == pytest.approx(expected)


def test_a_comma_waits_longer_where_the_recogniser_tells_nothing_else() -> None:
    assert seconds(UNTOLD) < seconds(Pause(Heard("I slept badly,"))) < OPEN_S


@pytest.mark.parametrize("pause", [OVER, LIKELY, UNSURE, PHRASE, BROKEN_OFF, OPEN, UNTOLD])
@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("normal_s", [0.2, 0.8, 10])
def test_every_wait_scales_with_the_setting_and_the_pace(
    pause: Pause, pace: str, normal_s: float
) -> None:
    scale = PACES[pace] * normal_s / NORMAL_S
    assert seconds(pause, pace, normal_s) == pytest.approx(seconds(pause) * scale)


@pytest.mark.parametrize("pause", [OVER, LIKELY, UNSURE, PHRASE, BROKEN_OFF, OPEN, UNTOLD])
def test_nobody_is_answered_sooner_unheard_than_heard(pause: Pause) -> None:
    assert Patience(NORMAL_S).first_s() >= seconds(pause)


def test_slow_waits_longer_than_normal_and_quick_shorter() -> None:
    assert seconds(OVER, "quick") < seconds(OVER) < seconds(OVER, "slow")


# The person.


def of_habit(*pauses: float) -> Patience:
    patience = Patience(NORMAL_S)
    for pause_s in pauses:
        patience.went_on(pause_s, taken_for_over=False)
    return patience


@pytest.mark.parametrize(("pause", "without"), [(LIKELY, LIKELY_S), (PHRASE, UNSURE_S)])
def test_a_wait_outlasts_the_pauses_that_they_made_before(pause: Pause, without: float) -> None:
    assert of_habit(1.9, 1.9).seconds(pause) == pytest.approx(1.9 + HABIT_S)
    assert of_habit(0.3, 0.5).seconds(pause) == without


@pytest.mark.parametrize(("pause", "expected"), [(OVER, SURE_S), (UNTOLD, UNKNOWN_S)])
def test_a_habit_does_not_delay_what_seems_over(pause: Pause, expected: float) -> None:
    assert of_habit(2.0, 2.0).seconds(pause) == pytest.approx(expected)


def test_a_habit_never_shortens_a_wait() -> None:
    assert of_habit(0.1).seconds(LIKELY) == LIKELY_S
    assert of_habit(0.1).seconds(UNSURE) == UNSURE_S
    assert of_habit(2.0).seconds(OPEN) == OPEN_S


def test_a_habit_has_a_limit_and_is_forgotten() -> None:
    assert of_habit(*[8.0] * 8).seconds(UNSURE) == LONGEST_HABIT_S
    assert of_habit(*[2.0] * 8, *[0.3] * 8).seconds(UNSURE) == UNSURE_S


def test_one_long_pause_among_many_is_no_habit() -> None:
    assert of_habit(*[0.4] * 6, 2.0).seconds(LIKELY) == LIKELY_S


@pytest.mark.parametrize("pause", [OVER, LIKELY, UNSURE, OPEN])
def test_a_wrong_guess_makes_careful_and_a_right_one_less_so(pause: Pause) -> None:
    patience = Patience(NORMAL_S)
    waits = [patience.seconds(pause)]
    for _ in range(MOST_CAUTION + 2):
        patience.went_on(0.3, taken_for_over=True)
        waits.append(patience.seconds(pause))
    most = waits[0] + MOST_CAUTION * CAUTION_S
    assert waits == pytest.approx(
        [min(waits[0] + count * CAUTION_S, most) for count in range(MOST_CAUTION + 3)]
    )
    for _ in range(MOST_CAUTION):
        patience.was_over()
    assert patience.seconds(pause) == waits[0]
    patience.was_over()
    patience.went_on(0.3, taken_for_over=True)
    assert patience.seconds(pause) == pytest.approx(waits[1])


@pytest.mark.parametrize("pause", [OVER, LIKELY, UNSURE, PHRASE, BROKEN_OFF, OPEN, UNTOLD])
def test_trouble_lengthens_every_wait(pause: Pause) -> None:
    patience = Patience(NORMAL_S)
    patience.troubled = True
    assert patience.seconds(pause) == pytest.approx(TROUBLED * seconds(pause))


@pytest.mark.parametrize(
    ("words", "hesitates"),
    [
        ("Um, er, I, um, I slept, uh, badly.", 2),
        ("Erm... hmm. I slept badly.", 2),
        ("Um, I slept badly.", 1),
        ("I hummed and he erred.", 0),
    ],
)
def test_who_hesitates_is_given_more_time(words: str, hesitates: int) -> None:
    wait_s = seconds(Pause(Heard(words, ends=0.95), 20))
    assert wait_s == pytest.approx(SURE_S + HESITANT_S * hesitates)


@pytest.mark.parametrize("pause_s", [0.0, -1.0, 1e-9, 1e9])
def test_odd_pauses_leave_the_wait_in_its_bounds(pause_s: float) -> None:
    assert LIKELY_S <= of_habit(pause_s).seconds(LIKELY) <= LONGEST_HABIT_S


@pytest.mark.parametrize("ends", [0.0, 1.0, 1.0001])
@pytest.mark.parametrize("fade", [-math.inf, -5.0, 0.0, 60.0, math.inf, math.nan])
def test_odd_sounds_leave_the_wait_in_its_bounds(ends: float, fade: float) -> None:
    assert SURE_S <= seconds(Pause(Heard("I slept badly.", ends=ends), fade)) <= OPEN_S


# An end, or not.


def test_a_recogniser_that_does_not_judge_gives_no_probability() -> None:
    assert end_probability(UNTOLD) is None


def test_an_end_is_the_more_probable_the_surer_the_stop_and_the_more_the_voice_fades() -> None:
    table = [
        [end_probability(Pause(Heard("So.", ends=ends), fade)) for fade in (3, 8, 14, 25)]
        for ends in (0.0, 0.1, 0.5, 1.0)
    ]
    assert np.all(np.diff(table, axis=0) > 0)
    assert np.all(np.diff(table, axis=1) > 0)
    assert 0 < np.min(table) < 0.05
    assert 0.95 < np.max(table) < 1


@pytest.mark.parametrize(("odd", "bound"), [(-40, 3), (0, 3), (26, 25), (90, 25)])
def test_a_fade_counts_no_more_than_voices_fade(odd: float, bound: float) -> None:
    heard = Heard("So.", ends=0.5)
    assert end_probability(Pause(heard, odd)) == end_probability(Pause(heard, bound))


@pytest.mark.parametrize(
    "words",
    [
        "I feel sad because.",
        "My sister and",
        "I went to the",
        "I am so, um.",
        "I, uhh,",
        "I feel like.",
        "I don't know if they're",
        "And then he's",
        "I won't go unless.",
        "I think that’s",
        "I wonder whether",
        "I...",
        "It was…",
        "He said that –",
        "I wanted to—",
        "I-",
        "  AND  ",
        "Because",
    ],
)
def test_a_sentence_cannot_end_with_these_words(words: str) -> None:
    assert is_open(words)


@pytest.mark.parametrize(
    "words",
    [
        "I feel sad.",
        "What do you think?",
        "Who is it for?",
        "What was that like?",
        "I miss you.",
        "Yes",
        "No.",
        "",
        "...?",
        "I think so.",
        "I can't go on.",
        "Yes, I am.",
        "No it was",
        "I bought some land.",
        "I took the bus.",
        "It was Brian's.",
    ],
)
def test_a_sentence_can_end_with_these_words(words: str) -> None:
    assert not is_open(words)


# How a voice fades.


def voice(*levels_db: float, seconds_each: float = 0.2) -> Samples:
    """Hums at levels, one after another, over a silence of -80 dB."""
    count = round(seconds_each * SAMPLE_RATE_HERTZ)
    hum = np.sin(np.arange(count) * (2 * np.pi * 200 / SAMPLE_RATE_HERTZ))
    sound = np.concatenate([hum * 10 ** (level / 20) for level in levels_db])
    noise = np.random.default_rng(0).normal(0, 1e-4, len(sound))
    return (sound + noise).astype(np.float32)


def after(sound: Samples, silence_s: float) -> Samples:
    silence = np.random.default_rng(1).normal(0, 1e-4, round(silence_s * SAMPLE_RATE_HERTZ))
    return np.concatenate([sound, silence.astype(np.float32)])


@pytest.mark.parametrize("silence_s", [0.13, 0.2])
@pytest.mark.parametrize("offset", [0.0, 0.2])
@pytest.mark.parametrize("fall_db", [0, 10, 20, 30])
def test_the_fade_is_how_far_the_last_of_a_voice_lies_below_its_loudest(
    fall_db: float, offset: float, silence_s: float
) -> None:
    sound = after(voice(-10, -10, -10, -10, -10 - fall_db), silence_s) + np.float32(offset)
    assert fade_db(sound) == pytest.approx(fall_db, abs=1)


def test_who_breaks_off_is_told_from_who_fades_out() -> None:
    breaks_off = after(voice(-12, -10, -14, -10), 0.2)
    fades_out = after(voice(-12, -10, -14, -20, -26, -32, seconds_each=0.1), 0.2)
    assert fade_db(breaks_off) < BROKEN_OFF_DB < fade_db(fades_out)


def test_a_breath_far_below_a_voice_is_not_its_end() -> None:
    assert fade_db(after(voice(-10, -10, -10, -60), 0.2)) == pytest.approx(0, abs=1)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(0, np.float32),
        np.zeros(SAMPLE_RATE_HERTZ, np.float32),
        voice(-10, seconds_each=0.19),
        np.random.default_rng(2).normal(0, 0.1, SAMPLE_RATE_HERTZ).astype(np.float32),
        voice(-10, -20, -15) + np.random.default_rng(3).normal(0, 0.05, 9600).astype(np.float32),
    ],
    ids=["nothing", "silence", "too short", "noise", "a voice in noise"],
)
def test_the_fade_is_unknown_where_it_cannot_be_told(sound: Samples) -> None:
    assert fade_db(sound) == FADE_UNKNOWN_DB
