"""A farewell is answered in one sentence, and nobody is held back."""

import pytest

from server.safety import help_lines
from server.scripts import Line, Now, Stop
from server.scripts.goodbye import ENOUGH, GOOD_NIGHT, GOODBYE, QUIET, Goodbye

FAREWELLS = {
    GOODBYE: [
        "Bye.",
        "bye bye",
        "Goodbye, TADBot.",
        "good bye",
        "Okay, I have to go now, bye.",
        "I've got to go",
        "gotta go",
        "See you tomorrow.",
        "Thanks, talk to you later!",
        "Goodbye, talk tomorrow.",
        "Thank you for listening. Bye.",
        "That helped a lot, bye",
        "I have to go to work.",
        "Bye for now.",
        "let's talk tomorrow",
    ],
    GOOD_NIGHT: [
        "Good night.",
        "uh good night tadbot",
        "Okay, thanks for listening. Good night!",
        "thank you good night",
        "It's late. Good night.",
        "I'm going to bed.",
    ],
    ENOUGH: [
        "That's enough for today.",
        "thats all for today thanks",
        "Let's stop here.",
        "I don't want to talk anymore.",
        "can we end the talk",
        "I'm done for today.",
        "That's all for now, thank you.",
    ],
}
QUIETS = [
    "Stop.",
    "stop stop",
    "Stop it!",
    "please stop",
    "Stop talking.",
    "could you please be quiet",
    "Be quiet.",
    "shut up",
    "Tadbot, stop.",
    "that's enough",
    "Just be quiet for a minute.",
]
NOTHING = [
    "I love you all, goodbye.",
    "Goodbye everyone.",
    "goodbye world",
    "goodbye forever",
    "this is goodbye",
    "I said goodbye to him",
    "She never said good night.",
    "and then we said goodbye",
    "I'm so tired of it. Goodbye.",
    "I have written the letters, bye",
    "I have to go to the dentist",
    "I want to go",
    "I should leave",
    "I want to leave him",
    "I want to end it here",
    "stop worrying me, he said",
    "I can't stop",
    "He won't stop.",
    "I said stop and he went on",
    "He touched me. I said stop.",
    "when will it stop",
    "I had a good night",
    "I can't sleep at night",
    "I stopped talking to her",
    "enough is enough",
    "I'm done for",
    "I'm done",
    "I'm not good enough",
    "leave me alone",
    "I'll see him later",
    "",
]


def answer(words: str, level: str = "none") -> Line | None:
    return Goodbye().begin(words, Now(level=level, lines=help_lines("GB")))


@pytest.mark.parametrize("level", ["none", "concern"])
@pytest.mark.parametrize(
    ("line", "words"), [(line, one) for line, said in FAREWELLS.items() for one in said]
)
def test_a_farewell_gets_one_warm_sentence_and_an_end(line: str, words: str, level: str) -> None:
    assert answer(words, level) == Line(line, Stop())


@pytest.mark.parametrize("line", FAREWELLS)
def test_no_farewell_holds_anybody_back(line: str) -> None:
    assert "?" not in line
    assert line.count(".") == 1


@pytest.mark.parametrize("level", ["none", "high", "imminent"])
@pytest.mark.parametrize("words", QUIETS)
def test_who_wants_silence_gets_it(words: str, level: str) -> None:
    assert answer(words, level) == Line(QUIET, Stop())


def test_near_danger_help_goes_with_the_person() -> None:
    high, imminent = answer("bye", "high"), answer("bye", "imminent")
    assert high is not None
    assert imminent is not None
    assert "Samaritans" in high.say
    assert "9 9 9" in imminent.say
    for line in (high, imminent):
        assert line.wish == Stop()
        assert "?" not in line.say


def test_where_no_country_is_known_help_is_named_all_the_same() -> None:
    line = Goodbye().begin("bye", Now(level="imminent"))
    assert line is not None
    assert "1 1 2" in line.say


@pytest.mark.parametrize("words", NOTHING)
def test_ordinary_talk_and_other_goodbyes_begin_nothing(words: str) -> None:
    assert answer(words) is None
