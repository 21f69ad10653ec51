"""One word, and nothing but the weather is spoken of until the person is alone."""

import pytest

from server.scripts import Now
from server.scripts.choosing import Scripts
from server.scripts.cover import BACK

UNSAFE = Now(level="high", unsafe_at_home=True)


@pytest.mark.parametrize(
    "words",
    ["The weather.", "weather", "what's the weather like", "Nice weather today", "oh the weather"],
)
def test_the_word_covers_the_talk_where_somebody_at_home_is_the_danger(words: str) -> None:
    scripts = Scripts()
    line = scripts.answer(words, UNSAFE)
    assert line is not None
    assert scripts.covered
    assert Scripts().answer(words, Now(level="high")) is None


@pytest.mark.parametrize(
    "words",
    ["Who are you talking to?", "stop", "goodbye", "are you a machine", "delete everything", "yes"],
)
def test_whatever_is_heard_then_is_answered_with_the_weather(words: str) -> None:
    scripts = Scripts()
    first = scripts.answer("the weather", UNSAFE)
    line = scripts.answer(words, UNSAFE)
    assert line is not None
    assert line.wish is None
    assert line != first
    assert scripts.covered


@pytest.mark.parametrize(
    "words", ["I am alone again", "he's gone now", "okay she has left", "I'm safe now"]
)
def test_it_ends_when_the_person_says_that_they_are_alone(words: str) -> None:
    scripts = Scripts()
    scripts.answer("the weather", UNSAFE)
    line = scripts.answer(words, UNSAFE)
    assert line is not None
    assert line.say == BACK
    assert not scripts.covered


@pytest.mark.parametrize("words", ["I'm not alone", "he isn't gone", "are you alone yet"])
def test_it_does_not_end_before(words: str) -> None:
    scripts = Scripts()
    scripts.answer("the weather", UNSAFE)
    scripts.answer(words, UNSAFE)
    assert scripts.covered
