"""How danger is latched in a session: up at once, down slowly, and not by a denial."""

from itertools import pairwise
from random import Random

import pytest

from server.safety import LEVELS
from server.safety.state import STEP_S, STEP_TURNS, RiskState


def after(*turns: tuple[str, float], carried: str = "none") -> str:
    state = RiskState(carried)
    for level, now_s in turns:
        state.take(level, now_s)
    return state.level


def calm(begin_s: float, count: int, every_s: float = 300.0) -> list[tuple[str, float]]:
    return [("none", begin_s + number * every_s) for number in range(count)]


@pytest.mark.parametrize("level", LEVELS)
def test_it_rises_at_once(level: str) -> None:
    assert after((level, 0.0)) == level


def test_one_denial_changes_nothing() -> None:
    assert after(("high", 0), ("none", 10)) == "high"
    assert after(("high", 0), ("none", 10_000)) == "high"


@pytest.mark.parametrize(
    ("count", "every_s", "level"),
    [
        (STEP_TURNS, STEP_S / (STEP_TURNS - 1), "concern"),
        (STEP_TURNS - 1, STEP_S, "high"),
        (100, STEP_S / 100, "high"),
    ],
)
def test_it_sinks_by_one_after_time_and_turns(count: int, every_s: float, level: str) -> None:
    assert after(("high", 0), *calm(1, count, every_s)) == level


def test_each_step_takes_its_own_time() -> None:
    state = RiskState()
    state.take("high", 0)
    levels = [state.take("none", now_s) for _, now_s in calm(1, 12)]
    assert levels == ["high"] * 4 + ["concern"] * 5 + ["none"] * 3


def test_danger_in_between_begins_the_wait_anew() -> None:
    assert after(("high", 0), *calm(1, 4), ("high", 1300), *calm(1301, 4)) == "high"


def test_after_imminent_it_stays_high() -> None:
    assert after(("imminent", 0), *calm(1, 200)) == "high"


def test_an_earlier_session_carries_over() -> None:
    assert after(carried="high") == "high"
    assert after(("none", 1), carried="high") == "high"


@pytest.mark.parametrize("seed", range(20))
def test_it_never_falls_by_more_than_one_or_below_what_was_said(seed: int) -> None:
    random = Random(seed)
    state, ranks, now_s = RiskState(), [], 0.0
    for _ in range(300):
        now_s += random.expovariate(1 / 200)
        level = random.choices(LEVELS, (80, 10, 8, 2))[0]
        ranks.append(LEVELS.index(state.take(level, now_s)))
        assert ranks[-1] >= LEVELS.index(level)
    assert all(more >= one - 1 for one, more in pairwise(ranks))
    assert RiskState().scripted is False
