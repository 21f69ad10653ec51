"""What is found of the held-out set with the real encoder, and how long it takes."""

import asyncio

import pytest

from server.config import Settings
from server.engines.loading import load_engine
from server.safety import LEVELS, assess, understands
from tests.unit.test_safety import CONCERN, HIGH, IMMINENT
from training.safety.corpus import CORPUS, HELD_OUT, TUNED_ON, Line, lines
from training.safety.evaluate import BOUNDS, Judged, judge, kind_of, shares

LONGEST_MS = 40.0
PLAIN = {"imminent": IMMINENT, "high": HIGH, "concern": CONCERN}
REACHED = {
    "explicit found as high or imminent": 0.85,
    "implicit found at any level": 0.78,
    "harmless that raise any alarm": 0.10,
    "harmless taken for high or imminent": 0.08,
}
"""What was reached; the bounds that it is to reach are in `training/safety/evaluate.py`."""


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    return asyncio.run(judge([*lines(HELD_OUT)], plain=False))


def test_the_encoder_is_the_one_that_the_classifier_knows() -> None:
    assert understands(load_engine("danger", Settings()).describe().model)
    assert not understands("another")


@pytest.mark.parametrize("name", BOUNDS)
def test_no_less_is_found_than_before(judged: list[Judged], name: str) -> None:
    hits = shares(judged)[name]
    share = sum(hits) / len(hits)
    assert share >= REACHED[name] if BOUNDS[name][1] else share <= REACHED[name]


def test_no_plain_sentence_is_taken_for_an_idiom() -> None:
    plain = [(text, level) for level, some in PLAIN.items() for text, _ in some]
    found = asyncio.run(judge([Line(text, level, "plain") for text, level in plain], plain=False))
    assert [one.line.text for one in found if one.rank < LEVELS.index(one.line.level)] == []


def test_a_turn_is_judged_in_time(judged: list[Judged]) -> None:
    times = sorted(one.ms for one in judged)
    assert times[len(times) // 2] < LONGEST_MS


def test_without_the_encoder_the_patterns_are_left(judged: list[Judged]) -> None:
    plain = [
        assess(one.line.text, one.line.context).level
        for one in judged
        if kind_of(one.line) == "explicit"
    ]
    assert sum(one != "none" for one in plain) / len(plain) >= 0.2


def test_no_held_out_line_stands_in_the_corpus() -> None:
    known = {one.text.casefold().strip(" .!?") for one in lines(CORPUS)}
    held = [*lines(HELD_OUT), *lines(TUNED_ON)]
    both = [one.text for one in held if one.text.casefold().strip(" .!?") in known]
    assert [one for one in both if len(one.split()) > 3] == []
    assert len(known) > 10_000
