"""What waits to be heard, and what is counted as heard."""

import numpy as np
import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import sound_pb2

from pi_client.playout import DUCKED_GAIN, Heard, Playout

RATE = 1000


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def playout(clock: Clock) -> Playout:
    playout = Playout(clock)
    opened = pb.Opened(reply_format=sound_pb2.AudioFormat(sample_rate_hertz=RATE))
    playout.saw(pb.ConverseResponse(opened=opened))
    return playout


def audio(
    turn: int, values: list[int] | np.ndarray, first: int = 0, revision: int = 0
) -> pb.ConverseResponse:
    pcm = np.asarray(values, dtype="<i2").tobytes()
    chunk = sound_pb2.AudioChunk(first_sample=first, pcm=pcm)
    return pb.ConverseResponse(turn=turn, revision=revision, reply_audio=chunk)


def done(turn: int, reason: int = pb.ReplyDone.COMPLETE, revision: int = 0) -> pb.ConverseResponse:
    ended = pb.ReplyDone(reason=reason)  # type: ignore[arg-type]
    return pb.ConverseResponse(turn=turn, revision=revision, reply_done=ended)


def control(turn: int, action: int) -> pb.ConverseResponse:
    speaker = pb.SpeakerControl(action=action)  # type: ignore[arg-type]
    return pb.ConverseResponse(turn=turn, speaker=speaker)


def words(turn: int, revision: int = 0) -> pb.ConverseResponse:
    return pb.ConverseResponse(
        turn=turn, revision=revision, transcript=pb.ConverseResponse().transcript
    )


def finished(playout: Playout) -> list[tuple[int, int, bool]]:
    return [
        (heard.key[0], heard.sample_count, heard.complete)
        for heard in playout.reports()
        if heard.finished
    ]


def test_sound_is_given_out_in_order_and_silence_follows(playout: Playout) -> None:
    playout.saw(audio(1, [1, 2, 3]))
    playout.saw(audio(1, [4, 5], first=3))
    assert playout.pull(4).tolist() == [1, 2, 3, 4]
    assert playout.pull(4).tolist() == [5, 0, 0, 0]


def test_a_reply_ends_when_all_of_it_was_heard(playout: Playout) -> None:
    playout.saw(audio(1, [1, 2, 3]))
    playout.saw(done(1))
    assert finished(playout) == []
    playout.pull(2)
    assert finished(playout) == []
    assert playout.waiting
    playout.pull(2)
    assert finished(playout) == [(1, 3, True)]
    assert not playout.waiting
    assert finished(playout) == []


def test_a_reply_waits_for_sound_that_is_late(playout: Playout) -> None:
    playout.saw(audio(1, [1]))
    assert playout.pull(3).tolist() == [1, 0, 0]
    playout.saw(audio(1, [2], first=1))
    playout.saw(done(1))
    assert playout.pull(2).tolist() == [2, 0]
    assert finished(playout) == [(1, 2, True)]


def test_progress_is_told_twice_a_second(playout: Playout, clock: Clock) -> None:
    playout.saw(audio(1, np.ones(2000)))
    told: list[Heard] = []
    for _ in range(16):
        clock.now += 0.125
        playout.pull(100)
        told += playout.reports()
    assert len(told) == 4
    assert [heard.sample_count for heard in told] == [100, 500, 900, 1300]


def test_sound_of_an_older_turn_is_dropped_when_it_comes(playout: Playout) -> None:
    playout.saw(words(2))
    playout.saw(audio(1, [1, 2]))
    assert playout.pull(2).tolist() == [0, 0]
    playout.saw(done(1))
    assert finished(playout) == [(1, 0, True)]


def test_what_waits_goes_on_when_a_new_turn_begins(playout: Playout) -> None:
    playout.saw(audio(0, [1, 2]))
    playout.saw(words(1))
    playout.saw(audio(1, [3]))
    assert playout.pull(4).tolist() == [1, 2, 3, 0]


def test_stop_drops_earlier_turns_at_once_and_tells_what_was_heard(playout: Playout) -> None:
    playout.saw(audio(1, [1, 2, 3, 4]))
    playout.pull(1)
    playout.saw(control(2, pb.SpeakerControl.STOP))
    playout.saw(audio(2, [9]))
    assert finished(playout) == [(1, 1, False)]
    assert playout.pull(2).tolist() == [9, 0]


def test_an_interrupted_reply_is_told_once(playout: Playout) -> None:
    playout.saw(audio(1, [1, 2, 3, 4]))
    playout.pull(3)
    playout.saw(done(1, pb.ReplyDone.INTERRUPTED))
    playout.saw(control(2, pb.SpeakerControl.STOP))
    playout.saw(done(1, pb.ReplyDone.INTERRUPTED))
    assert finished(playout) == [(1, 3, False)]


def test_a_newer_revision_drops_the_older_one(playout: Playout) -> None:
    playout.saw(audio(1, [1, 2, 3, 4]))
    playout.pull(1)
    playout.saw(words(1, revision=1))
    playout.saw(audio(1, [5, 6], revision=0, first=4))
    playout.saw(audio(1, [7], revision=1))
    assert playout.pull(2).tolist() == [7, 0]
    playout.saw(done(1, revision=1))
    assert finished(playout) == [(1, 1, False), (1, 1, True)]


def test_a_reply_without_sound_is_told_as_well(playout: Playout) -> None:
    playout.saw(done(1))
    assert finished(playout) == [(1, 0, True)]


def test_a_jump_becomes_silence(playout: Playout, caplog: pytest.LogCaptureFixture) -> None:
    playout.saw(audio(1, [1]))
    playout.saw(audio(1, [2], first=3))
    assert playout.pull(4).tolist() == [1, 0, 0, 2]
    assert "2 samples of a reply were lost" in caplog.text


def test_a_long_jump_is_noted_and_not_waited_for(
    playout: Playout, caplog: pytest.LogCaptureFixture
) -> None:
    playout.saw(audio(1, [1]))
    playout.saw(audio(1, [2], first=10**9))
    playout.saw(audio(1, [3], first=10**9 + 1))
    assert playout.pull(3).tolist() == [1, 2, 3]
    assert len(caplog.records) == 1


def test_what_comes_twice_is_heard_once(playout: Playout) -> None:
    playout.saw(audio(1, [1, 2, 3]))
    playout.saw(audio(1, [2, 3, 4], first=1))
    assert playout.pull(5).tolist() == [1, 2, 3, 4, 0]


def test_an_odd_byte_count_is_ignored_with_a_note(
    playout: Playout, caplog: pytest.LogCaptureFixture
) -> None:
    odd = sound_pb2.AudioChunk(pcm=b"\x01\x02\x03")
    playout.saw(pb.ConverseResponse(turn=1, reply_audio=odd))
    assert playout.pull(2).tolist() == [0, 0]
    assert "3 bytes" in caplog.text


def test_more_than_five_minutes_do_not_wait(
    playout: Playout, caplog: pytest.LogCaptureFixture
) -> None:
    minute = np.ones(60 * RATE)
    for number in range(7):
        playout.saw(audio(1, minute, first=number * len(minute)))
    pulled = playout.pull(7 * len(minute))
    assert np.count_nonzero(pulled) == 5 * len(minute)
    assert "dropped" in caplog.text


def test_ducking_lowers_by_18_db_without_a_step_and_resuming_raises(playout: Playout) -> None:
    playout.saw(audio(1, np.full(400, 10000)))
    playout.saw(control(1, pb.SpeakerControl.DUCK))
    ducked = playout.pull(100)
    assert np.abs(np.diff(ducked)).max() < 600
    assert ducked[-1] == pytest.approx(10000 * DUCKED_GAIN, abs=2)
    playout.saw(control(1, pb.SpeakerControl.RESUME))
    raised = playout.pull(100)
    assert raised[0] < 3000
    assert raised[-1] == 10000


def test_a_reply_after_a_stop_is_not_ducked(playout: Playout) -> None:
    playout.saw(audio(1, np.full(100, 10000)))
    playout.saw(control(1, pb.SpeakerControl.DUCK))
    playout.pull(50)
    playout.saw(control(2, pb.SpeakerControl.STOP))
    playout.saw(audio(2, np.full(100, 10000)))
    assert playout.pull(1).tolist() == [10000]


def test_goodbye_drops_everything_and_tells_it(playout: Playout) -> None:
    playout.saw(audio(0, [1, 2]))
    playout.saw(audio(1, [1, 2]))
    playout.pull(1)
    playout.drop()
    assert finished(playout) == [(0, 1, False), (1, 0, False)]
