"""The five senses, counted down, as long as the person wants it."""

from itertools import pairwise

import pytest

from server.scripts import Line, Now
from server.scripts.grounding import END, STEPS, STOPPED, TOLD_FROM, Grounding

BEGINS = [
    "Help me calm down.",
    "grounding",
    "I'm panicking, help me breathe!",
    "im panicking help me breathe",
    "breathing exercise",
    "Could you please do a breathing exercise with me?",
    "uh can we do a grounding exercise",
    "I need a grounding exercise",
    "TADBot, calm me down.",
    "Five four three two one.",
    "I'm having a panic attack.",
    "please help me relax",
    "Let's try the five senses technique",
    "let's do some breathing",
    "I need help calming down.",
]
NOTHING = [
    "I panic whenever the phone rings",
    "I'm panicking about the exam",
    "My sister had a panic attack",
    "She told me to do a breathing exercise",
    "I do breathing exercises every morning",
    "calm down, he said",
    "Calm down.",
    "I was lying there, breathing",
    "I can't calm down",
    "help me",
    "He never helps me calm down the kids",
    "the grounding of the plane",
    "I need to relax more",
    "five",
    "",
]


@pytest.mark.parametrize("words", BEGINS)
def test_it_begins_where_somebody_asks_for_it(words: str) -> None:
    assert Grounding().begin(words, Now()) == Line(STEPS[0], waits=True)


@pytest.mark.parametrize("level", ["none", "high"])
def test_any_words_go_on_to_a_gentle_end(level: str) -> None:
    script, now = Grounding(), Now(level=level)
    said = [script.begin("grounding", now)]
    for words in ("a lamp, a cup, my shoes", "yes", "nothing", "", "okay"):
        said.append(script.go_on(words, now))
    assert said == [*(Line(step, waits=True) for step in STEPS), Line(END)]
    assert END.count("?") == 1


def test_it_can_be_done_twice() -> None:
    script = Grounding()
    for _ in range(2):
        assert script.begin("grounding", Now()) == Line(STEPS[0], waits=True)
        assert script.go_on("a lamp", Now()) == Line(STEPS[1], waits=True)


@pytest.mark.parametrize("after", range(len(STEPS)))
@pytest.mark.parametrize(
    "words", ["Stop.", "stop it please", "enough", "I don't want to", "this isn't helping"]
)
def test_it_stops_at_any_time(words: str, after: int) -> None:
    script = Grounding()
    script.begin("grounding", Now())
    for _ in range(after):
        script.go_on("a lamp", Now())
    assert script.go_on(words, Now()) == Line(STOPPED)


def test_a_step_is_repeated() -> None:
    script = Grounding()
    script.begin("grounding", Now())
    script.go_on("a lamp", Now())
    assert script.go_on("Sorry, what?", Now()) == Line(STEPS[1], waits=True)


def test_a_story_is_listened_to() -> None:
    script = Grounding()
    script.begin("grounding", Now())
    assert script.go_on("and then " * (TOLD_FROM // 2 + 1), Now()) is None


def test_each_step_is_one_short_sentence_and_counts_down() -> None:
    counts = ["five", "four", "three", "two", "one"]
    for step, count in zip(STEPS, counts, strict=True):
        assert f" {count} thing" in step
        assert step.count(".") == 1
        assert len(step.split()) <= 12
    assert all(one != other for one, other in pairwise(STEPS))


@pytest.mark.parametrize("words", NOTHING)
def test_ordinary_talk_begins_nothing(words: str) -> None:
    assert Grounding().begin(words, Now()) is None
