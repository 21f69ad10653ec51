"""Ages: told by the way, asked for once, refused; and all the numbers that are none."""

import pytest

from server.scripts import Age, Line, Now
from server.scripts.age import AGAIN, CHILDREN, NOT_TOLD, QUESTION, AskingAge
from server.scripts.telling_age import told_age

MINORS = [
    "I'm fifteen.",
    "Uh, I'm 15.",
    "im fifteen",
    "I am nine years old",
    "I'm only 14 so I can't drive.",
    "I'm fifteen and nobody at school likes me.",
    "Well, I'm sixteen, almost seventeen.",
    "My name is Tom and I'm 12.",
    "I'm a 15-year-old girl.",
    "I turned fifteen last week",
    "I'm almost eighteen",
    "I'm not eighteen yet.",
    "I'm under 18",
    "I'm a minor",
    "I'm a teenager, and I struggle with going out.",
    "I'm in ninth grade",
    "I'm in year eight.",
    "Nobody believes me at home, not my mother and not my father and not my teacher either, and "
    "it has been like that for years. I'm thirteen.",
]
ADULTS = [
    "I am 34",
    "I'm eighteen",
    "I'm twenty-one years old.",
    "no I'm an adult",
    "I'm nearly forty.",
    "I just turned eighteen",
    "I'm over forty",
    "I'm in my sixties",
    "I'm a grown man",
    "I'm seventy-nine and I still miss her.",
]
NEITHER = [
    "I'm 12 weeks pregnant",
    "I'm 12 and a half weeks pregnant",
    "I'm five minutes late",
    "I'm fifteen, twenty minutes late",
    "my son is fifteen",
    "I was fifteen when he left",
    "when I'm sixty four",
    "She thinks I'm fifteen.",
    "He said, I'm fifteen.",
    "I feel like I'm fifteen",
    "So I'm six and he walks in.",
    "I'm one of them",
    "I'm two.",
    "I'm 150",
    "I'm two days sober",
    "I'm ten pounds down",
    "I'm six foot two",
    "I'm sixteen stone",
    "I'm 100 percent sure",
    "I'm thirty thousand in debt",
    "I'm 20 years into this",
    "I'm in year 2 of my PhD",
    "I'm under a lot of stress",
    "I'm over it",
    "I'm not forty yet",
    "I'm an adult child of alcoholics",
    "I'm a kid at heart",
    "I'm fine",
    "My daughter is in ninth grade.",
    "fifteen",
    "",
]


def answered(*said: str, now: Now | None = None) -> Line | None:
    script = AskingAge()
    line: Line | None = script.ask()
    for words in said:
        assert line is not None
        assert line.waits
        line = script.go_on(words, now or Now())
    return line


@pytest.mark.parametrize(
    ("words", "minor"),
    [
        *((one, True) for one in MINORS),
        *((one, False) for one in ADULTS),
        *((one, None) for one in NEITHER),
    ],
)
def test_an_age_is_told_from_other_numbers(words: str, minor: bool | None) -> None:
    assert told_age(words) is minor


@pytest.mark.parametrize("words", MINORS)
def test_a_minor_is_told_of_their_line_behind_the_answer(words: str) -> None:
    line = AskingAge().begin(words, Now())
    assert line is not None
    assert line.say == CHILDREN
    assert line.wish == Age(minor=True)
    assert line.behind
    assert not line.waits


@pytest.mark.parametrize("words", ADULTS)
def test_an_adult_by_the_way_is_noted_without_a_word(words: str) -> None:
    line = AskingAge().begin(words, Now())
    assert line is not None
    assert line.say == ""
    assert line.wish == Age(minor=False)
    assert line.behind


@pytest.mark.parametrize("words", NEITHER)
def test_ordinary_talk_begins_nothing(words: str) -> None:
    assert AskingAge().begin(words, Now()) is None


def test_what_is_known_is_not_noted_again_but_a_correction_is() -> None:
    assert AskingAge().begin("I'm fifteen", Now(minor=True)) is None
    assert AskingAge().begin("I am 34", Now(minor=False)) is None
    line = AskingAge().begin("No, I'm an adult.", Now(minor=True))
    assert line is not None
    assert line.wish == Age(minor=False)


def test_the_question_waits_for_its_answer() -> None:
    script = AskingAge()
    assert not script.asked
    assert script.ask() == Line(QUESTION, waits=True)
    assert script.asked


@pytest.mark.parametrize(
    ("words", "minor"),
    [
        ("Yes.", False),
        ("yeah I am", False),
        ("Much older.", False),
        ("34", False),
        ("I'm thirty", False),
        ("eighteen", False),
        ("no, I'm an adult", False),
        ("No.", True),
        ("nope not yet", True),
        ("I'm not", True),
        ("fifteen", True),
        ("seventeen and a half", True),
        ("No, I'm 16.", True),
        ("I'm just a kid", True),
    ],
)
def test_the_question_is_answered_by_yes_no_or_a_number(words: str, minor: bool) -> None:
    line = answered(words)
    assert line is not None
    assert line.wish == Age(minor)
    assert not line.behind
    assert (CHILDREN in line.say) is minor
    assert line.failed == line.say


def test_an_age_with_more_is_noted_and_the_rest_is_answered() -> None:
    line = answered("I'm fifteen and I had the worst day at school")
    assert line is not None
    assert line.wish == Age(minor=True)
    assert line.behind


@pytest.mark.parametrize(
    "words",
    [
        "I'd rather not say.",
        "none of your business",
        "I don't want to say",
        "skip",
        "that's private",
    ],
)
def test_a_refusal_is_fine(words: str) -> None:
    assert answered(words) == Line(NOT_TOLD)


def test_it_says_why_it_asks_and_asks_once_more_only() -> None:
    line = answered("Why?")
    assert line is not None
    assert line.say.endswith(AGAIN)
    assert answered("sure") == Line(AGAIN, waits=True)
    assert answered("what?", "what?") is None


@pytest.mark.parametrize(
    "words", ["my dog died", "200", "five", "No, I don't want to talk about that", "maybe later"]
)
def test_after_anything_else_it_gives_up(words: str) -> None:
    assert answered(words) is None
