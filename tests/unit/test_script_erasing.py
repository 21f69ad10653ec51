"""Erasing by voice: after one question, told, and never near danger."""

import pytest

from server.scripts import Erase, Line, Now
from server.scripts.asking import LATER, UNDONE
from server.scripts.erasing import NEWEST_S, Erasing

NEWEST = [
    "Forget that.",
    "forget this please",
    "Uh, forget what I just said.",
    "Could you forget what I said?",
    "TADBot, forget I just said that",
    "please delete what I just told you",
    "Can you erase the last five minutes?",
    "I want to delete what I just said.",
    "delete that",
    "Forget the last five minutes.",
    "Please forget what I told you just now.",
]
EVERYTHING = [
    "Delete everything.",
    "Forget me.",
    "uh could you please erase all about me",
    "Erase everything you know about me.",
    "I'd like to delete all my data",
    "delete my data please tadbot",
    "Forget everything I told you.",
    "Forget everything about me.",
    "I want you to forget everything we talked about",
    "wipe your memory",
    "forget everything we talked about today",
    "Delete whatever you have on me.",
]
LONG = (
    "It has been a long week and I have told you so many things about my marriage and my son and "
    "the house and all the money that I owe to my brother. "
)
NOTHING = [
    "I can't forget that day",
    "I will never forget that.",
    "Forget it.",
    "forget about it",
    "forget about me",
    "I want to forget that",
    "I want to forget everything",
    "Sometimes I just want to erase everything",
    "They forget me every time.",
    "Don't forget that I have work tomorrow",
    "forget that, how are you today",
    "Forget that guy, she told me",
    "he deleted everything",
    "My ex deleted all my photos",
    "delete everything, my boss said",
    "I forgot what I just said",
    "forgetting things scares me",
    "I erase all my messages every night",
    "I want to be forgotten",
    "scratch that",
    "never mind",
    "yes",
    "",
    LONG + "And I cannot forget that he left.",
    LONG + "He said I should delete everything.",
]


def dialogue(now: Now, *said: str) -> Line | None:
    script = Erasing()
    line = script.begin(said[0], now)
    for words in said[1:]:
        assert line is not None
        assert line.waits
        line = script.go_on(words, now)
    return line


@pytest.mark.parametrize("level", ["none", "concern"])
@pytest.mark.parametrize(
    ("words", "wish"),
    [
        *((one, Erase(NEWEST_S)) for one in NEWEST),
        *((one, Erase()) for one in EVERYTHING),
        (LONG + "Please delete everything.", Erase()),
        (LONG + "Could you forget what I just said?", Erase(NEWEST_S)),
    ],
)
def test_it_erases_after_one_question_and_tells_how_much(
    words: str, wish: Erase, level: str
) -> None:
    now = Now(level=level)
    first = dialogue(now, words)
    assert first is not None
    assert first.waits
    assert first.wish is None
    line = dialogue(now, words, "Yes.")
    assert line is not None
    assert line.wish == wish
    assert not line.waits
    assert "I erased 12 entries" in line.told(12)


@pytest.mark.parametrize("level", ["high", "imminent"])
@pytest.mark.parametrize("words", NEWEST + EVERYTHING)
def test_near_danger_it_waits(words: str, level: str) -> None:
    assert dialogue(Now(level=level), words) == Line(LATER)


@pytest.mark.parametrize("level", ["high", "imminent"])
def test_danger_between_question_and_answer_puts_it_off(level: str) -> None:
    script = Erasing()
    script.begin("delete everything", Now())
    assert script.go_on("yes", Now(level=level)) == Line(LATER)
    line = script.again(Now())
    assert line is not None
    assert line.behind
    done = script.go_on("yes do it", Now())
    assert done is not None
    assert done.wish == Erase()


@pytest.mark.parametrize("words", [NEWEST[0], EVERYTHING[0]])
@pytest.mark.parametrize("no", ["No.", "no, keep it", "forget it", "don't", "I changed my mind"])
def test_a_no_erases_nothing_and_says_so(words: str, no: str) -> None:
    assert dialogue(Now(), words, no) == Line(UNDONE)


@pytest.mark.parametrize("words", [NEWEST[0], EVERYTHING[0]])
@pytest.mark.parametrize(
    "other",
    ["yeah but not yet I think", "I don't know", "yes no", "what a day it was", "okay, my sister"],
)
def test_after_anything_else_nothing_is_erased(words: str, other: str) -> None:
    assert dialogue(Now(), words, other) is None


@pytest.mark.parametrize("words", NOTHING)
def test_ordinary_talk_begins_nothing(words: str) -> None:
    assert Erasing().begin(words, Now()) is None
