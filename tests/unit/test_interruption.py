"""What speech over a reply is: how the words, their certainty and their length decide."""

import pytest

from server.engines import Heard
from server.interruption import (
    BACKCHANNELS,
    FEWEST_SAME,
    MURMURS,
    NOT_HEARD,
    SHORT_S,
    SURE_FROM,
    WENT_ON_HEARD_S,
    WENT_ON_S,
    Over,
    Verdict,
    is_echo,
    turns_on_reply,
    verdict,
    went_on,
)

NOT_YET, NOTHING, INTERRUPTION = Verdict.NOT_YET, Verdict.NOTHING, Verdict.INTERRUPTION
REPLY = (
    "That sounds really hard. You have been carrying this for a long time."
    " What do you think would help you a little tonight?"
)


def judge(
    text: str,
    *,
    paused: bool = True,
    voiced_s: float = 0.5,
    certainty: float | None = 0.6,
    spoken: str = REPLY,
    asked: bool = False,
) -> Verdict:
    return verdict(Over(Heard(text, certainty=certainty), voiced_s, paused, spoken, asked))


@pytest.mark.parametrize("paused", [True, False])
@pytest.mark.parametrize("text", ["Stop.", "Wait, wait.", "No.", "That is not it.", "I'm scared"])
def test_words_that_take_the_floor_need_no_pause(text: str, paused: bool) -> None:
    assert judge(text, paused=paused) is INTERRUPTION


@pytest.mark.parametrize("text", ["Tonight", "Yesterday.", "Actually,"])
def test_one_word_may_grow_until_it_pauses(text: str) -> None:
    assert judge(text, paused=False) is NOT_YET
    assert judge(text) is INTERRUPTION


@pytest.mark.parametrize("words", sorted(BACKCHANNELS))
def test_a_backchannel_is_nothing_once_it_has_paused(words: str) -> None:
    assert judge(words, paused=False) is NOT_YET
    assert judge(words) is NOTHING


@pytest.mark.parametrize(
    "text", ["Mmmmmm.", "Hmmmm", "Ahhhh!", "Mm-hmm.", "Mmm-hmm", "Uh-huh.", "MM-HM", "Mm‑hm"]
)
def test_a_murmur_is_one_however_it_is_written(text: str) -> None:
    assert judge(text, asked=True) is NOTHING


@pytest.mark.parametrize("text", ["(coughs)", "[Music]", "*sighs*", "(coughing) [BLANK_AUDIO]"])
def test_a_noise_that_was_named_is_no_word(text: str) -> None:
    assert judge(text) is NOTHING
    assert judge(f"{text} stop") is INTERRUPTION


@pytest.mark.parametrize("text", ["", ".", "...", "♪", *NOT_HEARD])
def test_where_no_word_was_heard_the_reply_goes_on(text: str) -> None:
    assert judge(text.capitalize()) is NOTHING
    assert judge(text, paused=False, voiced_s=0.6) is NOT_YET
    assert judge(text, paused=False, voiced_s=2.5) is NOTHING


@pytest.mark.parametrize("text", ["Thank you for your help", "You did it", "The end of it"])
def test_a_word_that_noise_sounds_like_counts_among_others(text: str) -> None:
    assert judge(text) is INTERRUPTION


@pytest.mark.parametrize(
    ("voiced_s", "certainty", "counts"),
    [
        (SHORT_S - 0.1, SURE_FROM - 0.05, False),
        (SHORT_S - 0.1, SURE_FROM + 0.05, True),
        (SHORT_S + 0.1, SURE_FROM - 0.05, True),
        (SHORT_S - 0.1, None, True),
    ],
)
@pytest.mark.parametrize("text", ["Yesterday.", "I was going", "Tough, tough."])
def test_what_is_short_as_a_cough_and_uncertain_is_doubted(
    text: str, voiced_s: float, certainty: float | None, counts: bool
) -> None:
    decided = judge(text, voiced_s=voiced_s, certainty=certainty)
    assert decided is (INTERRUPTION if counts else NOTHING)
    if not counts:
        assert judge(text, voiced_s=voiced_s, certainty=certainty, paused=False) is NOT_YET


@pytest.mark.parametrize("paused", [True, False])
@pytest.mark.parametrize("text", ["Stop.", "No.", "Help", "Wait", "Oh no", "What?"])
def test_who_takes_the_floor_need_not_be_loud_and_clear(text: str, paused: bool) -> None:
    assert judge(text, voiced_s=0.2, certainty=0.05, paused=paused) is INTERRUPTION


@pytest.mark.parametrize("text", ["Yes.", "Okay", "I do.", "Yes, I am.", "Maybe.", "Of course."])
def test_an_answer_counts_once_it_was_asked_for(text: str) -> None:
    assert judge(text, asked=True) is INTERRUPTION
    assert judge(text, asked=True, paused=False) is NOT_YET


@pytest.mark.parametrize("words", sorted(MURMURS))
def test_a_murmur_answers_nothing(words: str) -> None:
    assert judge(words, asked=True) is NOTHING


@pytest.mark.parametrize(
    "text", ["Остановись, пожалуйста", "arrête ça", "रुको मुझे बोलने दो", "我不想说这个"]
)
def test_words_of_any_alphabet_are_words(text: str) -> None:
    assert judge(text) is INTERRUPTION


def test_a_long_flow_of_words_takes_the_floor_before_it_pauses() -> None:
    flow = "and then I told her that it was none of her business at all " * 5
    assert judge(flow, paused=False, voiced_s=9, certainty=0.1) is INTERRUPTION


# The reply itself, come back.


@pytest.mark.parametrize("paused", [True, False])
@pytest.mark.parametrize("words", [3, 4, 7, 12, 24])
def test_the_words_of_the_reply_are_its_echo(words: int, paused: bool) -> None:
    said = REPLY.split()
    for first in range(0, len(said) - words + 1, 3):
        heard = " ".join(said[first : first + words])
        assert judge(heard, paused=paused) is NOTHING


@pytest.mark.parametrize(
    "heard",
    [
        "you have been carrying this for a wrong time",
        "been caring this for a long time what do",
        "sounds really hard have been carrying this",
        "that's sounds really hard you have been carrying this",
        "do you think would help you a little to night",
    ],
)
def test_an_echo_may_be_misheard(heard: str) -> None:
    assert is_echo(heard, REPLY)


@pytest.mark.parametrize(
    "heard",
    [
        "what do you mean",
        "I have this a lot",
        "you do not help",
        "I think I have been this hard for a while",
        "a long time ago I was in hospital",
    ],
)
def test_an_answer_in_some_of_the_same_words_is_no_echo(heard: str) -> None:
    assert not is_echo(heard, REPLY)


def test_the_same_words_scattered_over_a_reply_are_no_echo() -> None:
    reply = (
        "It is all right to be angry, and it does not have to go away. I know what people say"
        " about something like that."
    )
    assert not is_echo("it is not like that", reply)


@pytest.mark.parametrize("words", ["tonight", "really hard", "a little"])
def test_a_word_or_two_of_the_reply_may_answer_it(words: str) -> None:
    assert len(words.split()) < FEWEST_SAME
    assert not is_echo(words, REPLY)


@pytest.mark.parametrize("stop", ["stop", "no no", "wait", "please stop"])
def test_who_takes_the_floor_behind_an_echo_is_heard(stop: str) -> None:
    assert judge(f"You have been carrying this for a long time. {stop}") is INTERRUPTION


def test_a_stop_that_the_reply_says_itself_is_its_echo() -> None:
    reply = "You can tell them to stop and wait, and that is all right."
    assert judge("tell them to stop and wait", spoken=reply) is NOTHING


@pytest.mark.parametrize(("heard", "spoken"), [("", REPLY), ("you have been", ""), ("", "")])
def test_nothing_is_no_echo(heard: str, spoken: str) -> None:
    assert not is_echo(heard, spoken)


@pytest.mark.parametrize(
    ("silent_s", "heard_s", "same"),
    [
        (0.0, 0.0, True),
        (WENT_ON_S - 0.1, WENT_ON_HEARD_S - 0.1, True),
        (WENT_ON_S + 0.1, 0.0, False),
        (1.0, WENT_ON_HEARD_S + 0.1, False),
    ],
)
def test_speech_soon_after_a_turn_goes_on_with_it(
    silent_s: float, heard_s: float, same: bool
) -> None:
    assert went_on(silent_s, heard_s) is same


@pytest.mark.parametrize(
    "words",
    ["Stop.", "No, not him.", "Wait, wait", "What?", "Sorry?", "Please stop talking", "Be quiet!"],
)
def test_who_speaks_to_the_one_that_speaks_says_something_new(words: str) -> None:
    assert turns_on_reply(words)


@pytest.mark.parametrize(
    "words",
    ["", "and I told him to stop", "but I never did", "please him", "because nothing helps"],
)
def test_who_goes_on_with_a_sentence_says_nothing_of_the_reply(words: str) -> None:
    assert not turns_on_reply(words)
