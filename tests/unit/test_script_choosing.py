"""Which small talk answers: one at a time, none in the midst of a story, and the truth always."""

import pytest

from server.scripts import Age, Consents, Erase, Keep, Line, Now, Plan, Stop
from server.scripts.age import CHILDREN, QUESTION
from server.scripts.asking import LATER, UNDONE
from server.scripts.choosing import Scripts
from server.scripts.consents import CAMERA_OFF
from server.scripts.erasing import Erasing
from server.scripts.grounding import STEPS, STOPPED
from server.scripts.plan import QUESTIONS
from server.scripts.plan import STOPPED as PLAN_STOPPED
from server.scripts.words import LONGEST, parts, plain

NOTHING = [
    "",
    "...",
    "Hello.",
    "Uh",
    "I can't forget that day",
    "he keeps watching me",
    "I'll remember this",
    "stop worrying me he said",
    "are you real friends",
    "we made a plan for dinner",
    "am I real",
    "Nobody remembers me.",
    "I panic when he comes home",
    "I have to stop drinking",
    "I said goodbye to my father",
    "My son is fifteen and he never talks to me",
    "I keep my feelings to myself",
    "My plan was to move away.",
    "Who can I blame?",
    "I want to forget everything",
    "The doctor said I should erase the stress",
    "yes",
    "No.",
    "Thank you.",
]
STORY = (
    "So last night I was lying awake again and I thought about everything that happened with my "
    "brother, and then I remembered the day at the lake, "
)


def talk(*said: str, now: Now | None = None) -> list[Line | None]:
    scripts = Scripts()
    return [scripts.answer(words, now or Now()) for words in said]


def last(*said: str, now: Now | None = None) -> Line:
    line = talk(*said, now=now)[-1]
    assert line is not None
    return line


@pytest.mark.parametrize("level", ["none", "high"])
@pytest.mark.parametrize("words", NOTHING)
def test_ordinary_talk_is_left_to_others(words: str, level: str) -> None:
    assert talk(words, now=Now(level=level)) == [None]


@pytest.mark.parametrize(
    "wish",
    [
        "stop watching me",
        "remember this talk",
        "are you a robot",
        "help me calm down",
        "read my plan",
        "good night",
        "stop",
    ],
)
def test_a_story_is_interrupted_by_nothing(wish: str) -> None:
    words = f"{STORY}and then I said to myself, {wish}."
    assert len(words.split()) > LONGEST
    assert talk(words, STORY + wish, f"{STORY}you know. {wish}.") == [None] * 3


def test_a_clear_wish_at_the_end_of_a_story_is_heard() -> None:
    assert last(f"{STORY}you know. Can we make a safety plan?").say.endswith(QUESTIONS[0])
    assert isinstance(last(f"{STORY}you know. Please delete everything.", "yes").wish, Erase)


@pytest.mark.parametrize(
    ("words", "wish"),
    [
        ("uh, TADBot, could you please stop watching me", Consents(revoked=frozenset({"camera"}))),
        ("Good night.", Stop()),
        ("Stop.", Stop()),
        ("My sister is the one I trust.", Keep(Plan(("", "", "", "My sister", "", "")))),
        ("I'm fifteen.", Age(minor=True)),
    ],
)
def test_a_wish_is_found(words: str, wish: object) -> None:
    assert last(words).wish == wish


def test_an_age_by_the_way_interrupts_nothing() -> None:
    line = last(f"{STORY}and he said nothing. I'm fifteen.")
    assert line == Line(CHILDREN, Age(minor=True), failed=CHILDREN, behind=True)


def test_a_question_takes_the_next_words_only() -> None:
    lines = talk("delete everything", "what a day it was", "yes")
    assert lines[0] is not None
    assert lines[1:] == [None, None]


def test_another_request_is_heard_instead_of_an_answer() -> None:
    assert last("delete everything", "stop watching me").say == CAMERA_OFF
    assert talk("delete everything", "stop watching me", "yes")[-1] is None
    assert last("delete everything", "are you a robot?").discloses


def test_in_the_midst_of_a_plan_the_truth_and_the_camera_come_first() -> None:
    said = ("make a safety plan", "I stop answering", "stop watching me", "a walk")
    plan = ("I stop answering", "a walk", "", "", "", "")
    lines = talk(*said)
    assert lines[2] is not None
    assert lines[2].say == f"{CAMERA_OFF} {QUESTIONS[1]}"
    assert lines[2].failed.endswith(QUESTIONS[1])
    assert lines[2].waits
    assert lines[3] is not None
    assert lines[3].wish == Keep(Plan(plan))
    honest = last("grounding", "are you a machine?")
    assert honest.discloses
    assert honest.say.endswith(STEPS[0])


def test_in_the_midst_of_a_plan_something_is_erased_and_the_plan_goes_on() -> None:
    lines = talk("make a safety plan", "forget what I just said", "yes", "I stop answering")
    assert lines[2] is not None
    assert lines[2].wish == Erase(300)
    assert lines[2].say.endswith(QUESTIONS[0])
    assert lines[3] is not None
    assert lines[3].say.endswith(QUESTIONS[1])


def test_an_answer_to_a_plan_is_no_request() -> None:
    for words in ("grounding", "I'm fifteen", "help me calm down", "my sister is the one I trust"):
        line = last("make a safety plan", words)
        assert line.say.endswith(QUESTIONS[1])
        assert isinstance(line.wish, Keep)


def test_stop_ends_what_is_going_on_and_goodbye_ends_all() -> None:
    assert last("make a safety plan", "a", "stop").say.startswith(PLAN_STOPPED)
    assert last("grounding", "stop") == Line(STOPPED)
    assert last("grounding", "stop", "stop").wish == Stop()
    assert last("grounding", "be quiet").wish == Stop()
    lines = talk("make a safety plan", "I have to go, bye", "a walk")
    assert lines[1] is not None
    assert lines[1].wish == Stop()
    assert not lines[1].waits
    assert lines[2] is None


def test_after_danger_came_between_nothing_waits_any_more() -> None:
    for begun in ("delete everything", "make a safety plan", "grounding"):
        scripts = Scripts()
        assert scripts.answer(begun, Now())
        scripts.drop()
        assert scripts.answer("yes", Now()) is None

    scripts = Scripts()
    scripts.answer("make a safety plan", Now())
    scripts.answer("I stop answering", Now())
    scripts.drop()
    scripts.take_back()
    assert scripts.answer("a walk", Now()) is None


def test_what_was_put_off_near_danger_is_asked_once_behind_a_calmer_answer() -> None:
    scripts = Scripts()
    high = Now(level="high")
    assert scripts.answer("delete everything", high) == Line(LATER)
    assert scripts.answer("I don't know", high) is None
    line = scripts.answer("I slept a little", Now(level="concern"))
    assert line is not None
    assert line.behind
    assert line.waits
    assert scripts.answer("no", Now(level="concern")) == Line(UNDONE)
    assert scripts.answer("I slept a little", Now()) is None


def test_words_that_are_taken_back_change_nothing() -> None:
    scripts = Scripts()
    scripts.answer("make a safety plan", Now())
    scripts.answer("I stop", Now())
    scripts.take_back()
    line = scripts.answer("I stop answering", Now())
    assert line is not None
    assert line.wish == Keep(Plan(("I stop answering", "", "", "", "", "")))
    assert line.say.endswith(QUESTIONS[1])
    scripts.take_back()
    scripts.take_back()
    assert scripts.answer("I stop answering", Now()) == line


def test_the_age_is_asked_once_and_where_nothing_else_waits() -> None:
    scripts = Scripts()
    scripts.answer("delete everything", Now())
    assert scripts.ask_age() is None
    scripts.answer("no", Now())
    assert scripts.ask_age() == Line(QUESTION, waits=True)
    line = scripts.answer("Yes.", Now())
    assert line is not None
    assert line.wish == Age(minor=False)
    assert scripts.ask_age() is None


def test_it_is_busy_while_a_question_waits() -> None:
    scripts = Scripts()
    assert not scripts.busy
    scripts.answer("delete everything", Now())
    assert scripts.busy
    scripts.answer("no", Now())
    assert not scripts.busy


def test_two_sessions_know_nothing_of_each_other() -> None:
    one, other = Scripts(), Scripts()
    one.answer("delete everything", Now())
    assert other.answer("yes", Now()) is None


def test_no_words_stay_behind() -> None:
    Scripts().answer("delete everything", Now())
    assert plain.cache_info().currsize == parts.cache_info().currsize == 0
    Erasing().begin("delete everything", Now())
    assert parts.cache_info().currsize > 0
