"""What is told again behind an answer: when, how often, and what never near danger."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.safety import DISCLOSURE
from server.scripts.reminders import (
    BREAK_EVERY_S,
    DISCLOSE_AGAIN_S,
    DISCLOSE_EVERY,
    LONG_TALK_S,
    MANY_DAYS,
    SETTLED_S,
    Kind,
    Moment,
    Reminders,
    due,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = 3600.0


def moment(talked_s: float = 0.0, **changes: object) -> Moment:
    """A moment of a talk that began at noon with the truth about what is speaking."""
    now = NOON + timedelta(seconds=talked_s)
    return replace(Moment(now, talked_s, disclosed_at=NOON, local=NOON), **changes)  # type: ignore[arg-type]


def kinds(reminders: Reminders, *moments: Moment) -> list[Kind | None]:
    """Goes from moment to moment, saying what is chosen."""
    said = []
    for one in moments:
        chosen = reminders.choose(one)
        if chosen is not None:
            reminders.told(chosen, one)
        said.append(chosen.kind if chosen else None)
    return said


def test_nothing_is_added_to_an_ordinary_answer() -> None:
    assert kinds(Reminders(), moment(), moment(60), moment(LONG_TALK_S - 1)) == [None] * 3


@pytest.mark.parametrize(
    ("since", "talked_s", "expected"),
    [
        (None, 0.0, True),
        (timedelta(0), 0.0, False),
        (DISCLOSE_EVERY - timedelta(seconds=1), 0.0, False),
        (DISCLOSE_EVERY, 0.0, True),
        (timedelta(days=7), 0.0, True),
        (timedelta(days=400), 60.0, True),
        # A long talk; and a talk of some minutes, hours after it was told.
        (timedelta(seconds=DISCLOSE_AGAIN_S), DISCLOSE_AGAIN_S, True),
        (timedelta(seconds=DISCLOSE_AGAIN_S - 1), DISCLOSE_AGAIN_S + HOUR, False),
        (timedelta(hours=10), 600.0, False),
        # A clock that was set back.
        (timedelta(hours=-1), 2 * HOUR, False),
    ],
)
def test_what_speaks_is_told_at_first_each_day_and_after_three_hours(
    since: timedelta | None, talked_s: float, expected: bool
) -> None:
    told = None if since is None else NOON - since
    assert due(NOON, told, talked_s) is expected


def test_three_hours_are_counted_anew_from_each_time_it_was_told() -> None:
    hours = [moment(hour * HOUR, disclosed_at=NOON) for hour in (2.9, 3.1)]
    assert kinds(Reminders(), *hours)[1] is Kind.DISCLOSURE
    again = NOON + timedelta(hours=3.1)
    later = [moment(hour * HOUR, disclosed_at=again) for hour in (3.2, 6.0, 6.2)]
    reminders = Reminders()
    kinds(reminders, moment(LONG_TALK_S))
    assert kinds(reminders, *later) == [None, None, Kind.DISCLOSURE]


@pytest.mark.parametrize("level", ["none", "concern", "high", "imminent"])
def test_the_truth_is_told_at_every_level(level: str) -> None:
    chosen = Reminders().choose(moment(disclosed_at=None, level=level))
    assert chosen is not None
    assert chosen.kind is Kind.DISCLOSURE
    assert chosen.discloses
    assert DISCLOSURE in chosen.say


@pytest.mark.parametrize("level", ["high", "imminent"])
@pytest.mark.parametrize("minor", [True, False, None])
def test_near_danger_nothing_else_is_added(level: str, minor: bool | None) -> None:
    night = moment(
        5 * HOUR,
        level=level,
        minor=minor,
        disclosed_at=NOON + timedelta(hours=4),
        local=NOON.replace(hour=23),
        days_talked=14,
    )
    assert Reminders().choose(night) is None


def test_a_minor_is_told_of_a_break_each_three_hours_with_the_truth() -> None:
    reminders = Reminders()
    chosen = reminders.choose(moment(BREAK_EVERY_S, minor=True))
    assert chosen is not None
    assert chosen.kind is Kind.BREAK
    assert chosen.discloses
    assert DISCLOSURE in chosen.say
    kinds(reminders, moment(LONG_TALK_S, minor=True))
    hours = (3.1, 3.2, 5.9, 6.1, 6.2, 9.0)
    steps = [
        moment(hour * HOUR, minor=True, disclosed_at=NOON + timedelta(hours=hour - 1))
        for hour in hours
    ]
    assert kinds(reminders, *steps) == [Kind.BREAK, None, None, Kind.BREAK, None, Kind.BREAK]


def test_a_break_that_danger_put_off_is_spoken_of_once_and_not_for_each_stretch() -> None:
    told = NOON + timedelta(hours=6)
    later = [
        moment(hour * HOUR, minor=True, disclosed_at=told, level="concern") for hour in (7.0, 7.1)
    ]
    assert kinds(Reminders(), *later) == [Kind.BREAK, None]


@pytest.mark.parametrize("minor", [False, None])
def test_an_adult_is_told_of_no_break_and_no_bedtime(minor: bool | None) -> None:
    reminders = Reminders()
    kinds(reminders, moment(LONG_TALK_S))
    late = moment(
        4 * HOUR,
        minor=minor,
        disclosed_at=NOON + timedelta(hours=3),
        local=NOON.replace(hour=23),
    )
    assert reminders.choose(late) is None


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [
        (21, 59, None),
        (22, 0, Kind.REST),
        (0, 0, Kind.REST),
        (5, 59, Kind.REST),
        (6, 0, None),
        (12, 0, None),
    ],
)
def test_a_minor_is_told_of_sleep_once_a_night(
    hour: int, minute: int, expected: Kind | None
) -> None:
    late = moment(minor=True, local=NOON.replace(hour=hour, minute=minute))
    assert kinds(Reminders(), late, late) == [expected, None]


def test_where_the_hour_is_unknown_nobody_is_sent_to_bed() -> None:
    assert Reminders().choose(moment(minor=True, local=None)) is None


def test_after_an_hour_people_are_thought_of_once() -> None:
    hours = [moment(LONG_TALK_S - 1), moment(LONG_TALK_S), moment(LONG_TALK_S + 60)]
    assert kinds(Reminders(), *hours) == [None, Kind.PEOPLE, None]


@pytest.mark.parametrize(
    ("days", "expected"),
    [(None, None), (MANY_DAYS - 1, None), (MANY_DAYS, Kind.PEOPLE), (14, Kind.PEOPLE)],
)
def test_after_many_days_people_are_thought_of_but_not_at_hello(
    days: int | None, expected: Kind | None
) -> None:
    first, later = moment(10, days_talked=days), moment(SETTLED_S, days_talked=days)
    assert kinds(Reminders(), first, later, later) == [None, expected, None]


def test_people_are_thought_of_once_for_whatever_reason() -> None:
    steps = [moment(SETTLED_S, days_talked=14), moment(LONG_TALK_S, days_talked=14)]
    assert kinds(Reminders(), *steps) == [Kind.PEOPLE, None]


def test_where_there_is_concern_nobody_is_sent_to_others() -> None:
    assert Reminders().choose(moment(LONG_TALK_S, level="concern", days_talked=14)) is None


def test_what_was_chosen_but_not_said_is_chosen_again() -> None:
    reminders = Reminders()
    assert reminders.choose(moment(LONG_TALK_S)) == reminders.choose(moment(LONG_TALK_S))


def test_the_truth_comes_before_a_nudge() -> None:
    steps = moment(LONG_TALK_S, disclosed_at=None, minor=True, local=NOON.replace(hour=23))
    assert kinds(Reminders(), steps) == [Kind.DISCLOSURE]
    told = replace(steps, disclosed_at=steps.now)
    reminders = Reminders()
    assert kinds(reminders, told, told, told) == [Kind.REST, Kind.PEOPLE, None]
