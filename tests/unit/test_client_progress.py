"""When a recording has been answered."""

import pytest
from tadbot.v1 import companion_pb2 as pb

from pi_client.progress import Progress


def transcript(
    turn: int, text: str = "words", final: bool = True, revision: int = 0
) -> pb.ConverseResponse:
    response = pb.ConverseResponse(turn=turn, revision=revision)
    response.transcript.text = text
    response.transcript.final = final
    return response


def done(turn: int, revision: int = 0) -> pb.ConverseResponse:
    return pb.ConverseResponse(turn=turn, revision=revision, reply_done=pb.ReplyDone())


def state(activity: int) -> pb.ConverseResponse:
    return pb.ConverseResponse(state=pb.State(activity=activity))  # type: ignore[arg-type]


def ends(progress: Progress, ended_at: float = 10.0) -> float:
    """The first tenth of a second after the recording at which the talk can end."""
    tenths = range(1, 1000)
    return next(t / 10 for t in tenths if progress.over(ended_at + t / 10, ended_at, False))


def saw(*responses: pb.ConverseResponse, now: float = 10.0) -> Progress:
    progress = Progress()
    for response in responses:
        progress.saw(response, now)
    return progress


def test_an_answered_recording_settles_for_two_and_a_half_seconds() -> None:
    assert ends(saw(transcript(1), done(1))) == 2.5


def test_it_waits_while_a_reply_plays() -> None:
    progress = saw(transcript(1), done(1))
    assert not progress.over(100.0, 10.0, playing=True)
    assert progress.over(100.1, 10.0, playing=False)


def test_without_any_words_it_waits_fifteen_seconds() -> None:
    assert ends(saw()) == 15.0


def test_what_is_said_before_the_first_turn_is_no_answer() -> None:
    assert ends(saw(done(0), now=0.0)) == 15.0
    assert ends(saw(done(0), transcript(1, ""), now=0.0)) == 15.0


def test_words_without_an_answer_are_waited_for() -> None:
    assert ends(saw(transcript(1), done(1), transcript(2, final=False))) == 15.0


def test_a_revision_wants_an_answer_of_its_own() -> None:
    assert ends(saw(transcript(1), done(1), transcript(1, revision=1))) == 15.0
    assert ends(saw(transcript(1), done(1), transcript(1, revision=1), done(1, 1))) == 2.5


def test_a_sound_that_was_no_word_is_not_waited_for() -> None:
    progress = saw(transcript(1), done(1), transcript(2, "uh", final=False), transcript(2, ""))
    assert ends(progress) == 2.5


@pytest.mark.parametrize("activity", [pb.State.HEARING, pb.State.THINKING, pb.State.SPEAKING])
def test_a_server_that_does_not_listen_is_waited_for(activity: int) -> None:
    assert ends(saw(transcript(1), done(1), state(activity))) == 15.0
    assert ends(saw(transcript(1), done(1), state(activity), state(pb.State.LISTENING))) == 2.5


def test_a_reply_that_is_coming_puts_the_end_off() -> None:
    text = pb.ConverseResponse(turn=1, reply_text=pb.ReplyText(text="I"))
    progress = saw(transcript(1))
    progress.saw(text, 20.0)
    assert ends(progress) == 25.0
