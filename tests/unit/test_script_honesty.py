"""What is speaking, and what it records, told to whoever asks."""

import pytest

from server.safety import DISCLOSURE
from server.scripts import Now
from server.scripts.consents import ALL, kept
from server.scripts.honesty import NEVER_STORED, Honesty

MACHINE = [
    "Are you a machine?",
    "are you a robot",
    "Uh, are you an A.I.?",
    "are you really just a computer program",
    "Am I talking to a robot?",
    "Tell me, am I speaking to a machine?",
    "You're a bot, aren't you?",
    "is this a recording",
    "So you're just a machine?",
    "Are you like a robot or something?",
]
NOT_A_PERSON = [
    "Are you human?",
    "are you a real person",
    "Tadbot, are you a person?",
    "Are you a therapist?",
    "are you my doctor",
    "Are you a licensed therapist?",
    "You are a real person, right?",
    "Am I talking to a real human being?",
    "is there a real person behind this",
]
EITHER = [
    "Are you real?",
    "are you a person or a machine",
    "Are you human or a robot or what?",
    "Are you alive?",
    "Can I ask you something? Are you conscious?",
]
WHO = [
    "Who are you?",
    "what are you exactly",
    "What's your name?",
    "who am I talking to",
    "whos this",
]
RECORDING = [
    "Are you recording me?",
    "are you recording this",
    "Is this being recorded?",
    "Do you record what I say?",
    "stop recording me",
    "are you listening all the time",
    "Is anyone else listening?",
    "who can hear this",
    "am I being filmed",
    "do you record our conversations",
    "Is this conversation being recorded?",
]
NOTHING = [
    "am I real",
    "Is this real?",
    "is any of this real",
    "are you real friends",
    "Are you a person who likes dogs?",
    "who are you to judge me",
    "He asked me, are you a robot?",
    "My son said are you human",
    "I was like, who are you?",
    "I keep asking myself, who are you?",
    "I feel like a robot",
    "my therapist is a real person",
    "I need a real person",
    "is there a doctor",
    "Is anybody there?",
    "are you okay",
    "are you there",
    "Who will hear me?",
    "who can see me",
    "I think they are recording me",
    "I'm a nurse",
    "She was a machine.",
    "You're a machine, you wouldn't get sarcasm.",
    "you're a person who understands me",
    "we are only human",
    "",
]


@pytest.mark.parametrize(
    ("words", "beginning"),
    [
        *((one, "Yes") for one in MACHINE),
        *((one, "No") for one in NOT_A_PERSON),
        *((one, "It is good") for one in EITHER),
        *((one, "I am TADBot") for one in WHO),
    ],
)
def test_the_truth_is_told_to_fit_the_question(words: str, beginning: str) -> None:
    line = Honesty().begin(words, Now())
    assert line is not None
    assert line.say.startswith(beginning)
    assert line.say.endswith(DISCLOSURE)
    assert line.discloses
    assert not line.waits


@pytest.mark.parametrize("consents", [frozenset(), ALL])
@pytest.mark.parametrize("words", RECORDING)
def test_who_asks_for_recordings_hears_what_is_kept(words: str, consents: frozenset[str]) -> None:
    line = Honesty().begin(words, Now(consents=consents))
    assert line is not None
    assert line.say == f"{NEVER_STORED} {kept(consents)}"
    assert not line.discloses


@pytest.mark.parametrize("words", NOTHING)
def test_ordinary_talk_begins_nothing(words: str) -> None:
    assert Honesty().begin(words, Now()) is None
