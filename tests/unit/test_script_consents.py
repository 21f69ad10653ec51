"""Consents by voice: what is asked first, what is done at once, and what can wait."""

import pytest

from server.scripts import Consents, Line, Now
from server.scripts.asking import LATER, UNDONE
from server.scripts.consents import (
    ALL,
    CAMERA,
    CAMERA_OFF,
    EMOTION_LOG,
    MEMORY,
    NO_EMOTIONS,
    SHARE,
    Consenting,
    kept,
)

DANGER = ["high", "imminent"]
GIVES = {
    CAMERA: [
        "You can watch me.",
        "You may look at my face",
        "Turn the camera on, please.",
        "uh could you please turn on the camera",
        "TADBot, switch the camera back on.",
        "You can use the camera now",
        "it's okay if you see me",
    ],
    MEMORY: [
        "You can remember what we talk about.",
        "remember this talk",
        "Tadbot, remember this talk, please.",
        "You may remember me.",
        "I'd like you to remember our conversations",
        "could you uh remember this conversation",
        "please keep what I say",
        "You can keep this. Thanks.",
        "turn on your memory",
        "I give you permission to remember this",
    ],
    EMOTION_LOG: [
        "You can keep my feelings.",
        "please keep a log of my moods",
        "you may write down my emotions",
        "turn on the emotion log",
        "Can you keep track of my mood?",
    ],
    SHARE: [
        "You may share this with my therapist.",
        "You can share everything with my doctor",
        "let my therapist read this",
        "My psychologist can read what we talk about.",
        "please show this to my counsellor",
        "I want my therapist to see all of this",
        "you can tell my therapist",
    ],
}
TAKES = {
    CAMERA: [
        "Stop watching me.",
        "stop watching",
        "tad bot could you please stop watching me",
        "Turn the camera off.",
        "please switch off the camera now",
        "Camera off!",
        "no camera",
        "I don't want you to watch me.",
        "don't film me",
        "Don't look at me.",
        "I'm tired. Turn the camera off, I don't like it.",
        "Stop watching me, it makes me nervous.",
        "I said stop watching me",
        "Can you turn off the camera for a moment?",
        "Would you mind turning off the camera?",
        "I want the camera off.",
    ],
    MEMORY: [
        "Stop remembering me.",
        "stop remembering what I say, please",
        "Don't remember this conversation.",
        "Don't save this conversation, please, not a word.",
        "I don't want you to keep what we say.",
        "you may not remember me",
        "turn off your memory",
    ],
    EMOTION_LOG: [
        "Don't keep my feelings.",
        "stop tracking my mood",
        "uh please don't write down my emotions",
        "turn off the emotion log",
    ],
    SHARE: [
        "Stop sharing.",
        "stop sharing this with my therapist",
        "Don't share this with anyone.",
        "don't share anything with my therapist",
        "My therapist may not read this.",
        "I don't want my doctor to read what I say",
        "don't let my therapist see this",
    ],
}
TELLS = [
    "What do you keep about me?",
    "what do you store about me",
    "What are you keeping?",
    "What do you know about me?",
    "Is the camera on?",
    "can you see me",
    "What have I agreed to?",
    "do you keep this",
]
NOTHING = [
    "he keeps watching me",
    "He won't stop watching me.",
    "I told him to stop watching me",
    "stop watching me, he said",
    "And I said stop watching me.",
    "Stop watching me, she yelled, and I ran.",
    'And then, "stop watching me".',
    "I can't stop watching the news",
    "I'll remember this",
    "I remember this conversation",
    "Do you remember that?",
    "Can you remember what we talked about?",
    "Don't you remember me?",
    "I don't remember anything",
    "My mother doesn't remember me anymore.",
    "remember me",
    "I keep my feelings to myself",
    "I can't share this with anyone",
    "The doctor can see it on the scan.",
    "my therapist told me to keep a log of my moods",
    "I turned the camera off in the meeting",
    "Do you know what day it is? Don't look at me, I'm asking you.",
    "you should have seen me",
    "I don't want to be seen.",
    "He took my camera.",
    "I feel watched",
    "what do you know",
    "save me",
    "yes",
    "no",
    "",
    "I was at work and my boss kept staring at me all day long until I could not bear it any more "
    "and I thought to myself please just stop watching me",
]


NOW = Now()


def begun(words: str, now: Now = NOW) -> Line:
    line = Consenting().begin(words, now)
    assert line is not None, words
    return line


def dialogue(now: Now, *said: str) -> Line | None:
    """Says one thing after the other; gives the last answer."""
    script = Consenting()
    line = script.begin(said[0], now)
    for words in said[1:]:
        assert line is not None
        assert line.waits
        line = script.go_on(words, now)
    return line


@pytest.mark.parametrize(
    ("consent", "words"), [(name, one) for name, said in GIVES.items() for one in said]
)
def test_a_consent_is_given_after_one_question(consent: str, words: str) -> None:
    first = begun(words)
    assert first.waits
    assert first.wish is None
    assert first.say.endswith("Yes or no?")
    line = dialogue(Now(), words, "Yes, please.")
    assert line is not None
    assert line.wish == Consents(granted=frozenset({consent}))
    assert not line.waits


@pytest.mark.parametrize("words", GIVES[CAMERA] + GIVES[EMOTION_LOG])
def test_a_house_without_emotions_takes_no_consent_to_see_them(words: str) -> None:
    assert begun(words, Now(emotions=False)) == Line(NO_EMOTIONS)


@pytest.mark.parametrize("consent", sorted(ALL))
def test_what_is_consented_to_already_is_not_asked_again(consent: str) -> None:
    line = begun(GIVES[consent][0], Now(consents=ALL))
    assert not line.waits
    assert line.wish is None
    assert "already" in line.say


@pytest.mark.parametrize("level", ["none", "concern", *DANGER])
@pytest.mark.parametrize("words", TAKES[CAMERA])
def test_the_camera_goes_off_at_once_at_any_level(words: str, level: str) -> None:
    line = begun(words, Now(level=level))
    assert line.say == CAMERA_OFF
    assert line.wish == Consents(revoked=frozenset({CAMERA}))
    assert "cover the camera" in line.failed


@pytest.mark.parametrize("words", TAKES[SHARE])
def test_nobody_reads_any_more_at_once(words: str) -> None:
    assert begun(words).wish == Consents(revoked=frozenset({SHARE}))


@pytest.mark.parametrize("level", ["none", "concern"])
@pytest.mark.parametrize(
    ("consent", "words"), [(one, said) for one in (MEMORY, EMOTION_LOG) for said in TAKES[one]]
)
def test_what_erases_is_asked_once_and_told(consent: str, words: str, level: str) -> None:
    now = Now(level=level, consents=ALL)
    first = begun(words, now)
    assert first.waits
    assert first.wish is None
    assert "erases" in first.say
    line = dialogue(now, words, "yes")
    assert line is not None
    assert line.wish == Consents(revoked=frozenset({consent}))
    assert line.told(7).endswith("and I erased 7 entries.")
    assert line.told(1).endswith("and I erased one entry.")
    assert "nothing was kept" in line.told(0)


def test_what_is_not_kept_now_may_have_been_kept_before() -> None:
    assert "earlier talks" in begun("stop remembering me").say


@pytest.mark.parametrize("level", DANGER)
@pytest.mark.parametrize("words", TAKES[MEMORY] + TAKES[EMOTION_LOG])
def test_near_danger_nothing_is_erased_and_it_is_said_that_it_can_wait(
    words: str, level: str
) -> None:
    assert begun(words, Now(level=level, consents=ALL)) == Line(LATER)


@pytest.mark.parametrize("level", DANGER)
def test_a_yes_erases_nothing_once_danger_has_come_near(level: str) -> None:
    script = Consenting()
    assert script.begin("stop remembering me", Now())
    assert script.go_on("yes", Now(level=level)) == Line(LATER)
    assert script.go_on("yes", Now()) is None


def test_what_was_put_off_is_asked_again_when_things_are_calmer() -> None:
    script = Consenting()
    script.begin("stop remembering me", Now(level="high"))
    assert script.again(Now(level="high")) is None
    line = script.again(Now(level="concern"))
    assert line is not None
    assert line.waits
    assert line.behind
    assert script.again(Now()) is None
    done = script.go_on("yes", Now())
    assert done is not None
    assert done.wish == Consents(revoked=frozenset({MEMORY}))


def test_all_of_it_is_taken_back_after_one_question() -> None:
    line = dialogue(Now(consents=ALL), "I take back all my consents", "yes")
    assert line is not None
    assert line.wish == Consents(revoked=ALL)


def test_of_all_of_it_what_erases_nothing_does_not_wait_for_calm() -> None:
    line = begun("I withdraw my consent", Now(level="high", consents=ALL))
    assert line.wish == Consents(revoked=frozenset({CAMERA, SHARE}))
    assert LATER in line.say
    assert not line.waits


@pytest.mark.parametrize("no", ["No.", "no thanks", "Rather not.", "never mind", "stop", "not now"])
@pytest.mark.parametrize("words", ["remember this talk", "stop remembering me"])
def test_a_no_leaves_it_as_it_is_and_says_so(words: str, no: str) -> None:
    assert dialogue(Now(), words, no) == Line(UNDONE)


@pytest.mark.parametrize(
    "other", ["yeah no", "Yes but first tell me why", "my dog died", "okay so what I meant was"]
)
@pytest.mark.parametrize("words", ["remember this talk", "stop remembering me"])
def test_after_anything_else_it_gives_up(words: str, other: str) -> None:
    script = Consenting()
    script.begin(words, Now())
    assert script.go_on(other, Now()) is None
    assert script.go_on("yes", Now()) is None


def test_the_words_of_the_question_answer_it() -> None:
    given = dialogue(Now(), "remember this talk", "Yes, keep it.")
    assert given is not None
    assert given.wish is not None
    assert dialogue(Now(), "stop remembering me", "No, keep it.") == Line(UNDONE)
    taken = dialogue(Now(), "stop remembering me", "Erase it.")
    assert taken is not None
    assert taken.wish is not None
    assert dialogue(Now(), "remember this talk", "delete it") == Line(UNDONE)
    assert dialogue(Now(), "stop remembering me", "don't erase it") is None


def test_a_question_that_was_not_understood_is_asked_again() -> None:
    line = dialogue(Now(), "remember this talk", "Sorry, what?")
    assert line is not None
    assert line == begun("remember this talk")


@pytest.mark.parametrize("words", TELLS)
def test_what_is_kept_is_told_from_the_consents(words: str) -> None:
    assert begun(words) == Line("I keep nothing of you after goodbye. The camera is off.")
    said = begun(words, Now(consents=ALL)).say
    for part in ("what we say", "feelings", "therapist", "no picture"):
        assert part in said


def test_who_keeps_nothing_shares_nothing() -> None:
    assert "therapist" not in kept(frozenset({SHARE}))
    assert "feelings" not in kept(frozenset({MEMORY}))


@pytest.mark.parametrize("words", NOTHING)
def test_ordinary_talk_begins_nothing(words: str) -> None:
    assert Consenting().begin(words, Now()) is None
