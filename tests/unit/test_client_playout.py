"""What waits to be heard, and what is counted as heard."""

import numpy as np
import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import sound_pb2

from pi_client.playout import DUCKED_GAIN, PROTECTED_GAIN, Manner, Playing, Playout
from pi_client.reply import Heard

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


def text(turn: int, first: int = 0, protected: bool = False) -> pb.ConverseResponse:
    piece = pb.ReplyText(text="Words.", first_sample=first, protected=protected)
    return pb.ConverseResponse(turn=turn, reply_text=piece)


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
    playout.play(Manner.DUCKED)
    ducked = playout.pull(100)
    assert np.abs(np.diff(ducked)).max() < 600
    assert ducked[-1] == pytest.approx(10000 * DUCKED_GAIN, abs=2)
    playout.play(Manner.FULL)
    raised = playout.pull(100)
    assert raised[0] < 3000
    assert raised[-1] == 10000


def test_a_reply_after_a_stop_is_not_ducked(playout: Playout) -> None:
    playout.saw(audio(1, np.full(100, 10000)))
    playout.play(Manner.DUCKED)
    playout.pull(50)
    playout.saw(control(2, pb.SpeakerControl.STOP))
    playout.saw(audio(2, np.full(100, 10000)))
    assert playout.pull(1).tolist() == [10000]


def test_what_is_held_keeps_its_place_and_still_waits(playout: Playout, clock: Clock) -> None:
    playout.saw(audio(1, np.full(1000, 10000)))
    playout.saw(done(1))
    playout.pull(500)
    playout.play(Manner.HELD)
    fading = playout.pull(100)
    assert np.count_nonzero(fading) <= 20
    assert np.abs(np.diff(fading)).max() < 600
    told = []
    for _ in range(20):
        clock.now += 0.125
        assert not playout.pull(125).any()
        told += playout.reports()
    assert [(heard.sample_count, heard.finished) for heard in told] == [(520, False)]
    assert playout.waiting


def test_what_was_held_goes_on_where_it_began_to_give_way(playout: Playout, clock: Clock) -> None:
    # 300 ms of a word, 100 ms of silence, and the word that is interrupted.
    playout.saw(audio(1, [8000, -8000] * 150 + [0] * 100 + [9000, -9000] * 500))
    playout.saw(done(1))
    playout.pull(500)
    playout.play(Manner.DUCKED)
    playout.pull(200)
    playout.play(Manner.HELD)
    playout.pull(64)
    clock.now += 1
    assert [heard.sample_count for heard in playout.reports()] == [720]
    playout.play(Manner.FULL)
    playout.play(Manner.FULL)
    again = playout.pull(1100)
    assert not again[:20].any()
    assert again[20:1020].tolist() == [9000, -9000] * 500
    assert finished(playout) == [(1, 1400, True)]


def test_the_count_steps_back_with_the_sound_and_its_end_is_told_once(
    playout: Playout, clock: Clock
) -> None:
    playout.saw(audio(1, [10000, -10000] * 500))
    playout.saw(done(1))
    playout.pull(600)
    playout.play(Manner.HELD)
    playout.pull(20)
    told = playout.reports()
    playout.play(Manner.FULL)
    for _ in range(9):
        clock.now += 0.5
        playout.pull(100)
        told += playout.reports()
    counts = [(heard.sample_count, heard.finished) for heard in told]
    # It had no gap, so it goes back to its beginning, 0.6 s ago.
    assert counts[:3] == [(620, False), (100, False), (200, False)]
    assert finished(playout) == []
    playout.pull(100)
    assert finished(playout) == [(1, 1000, True)]


def test_a_reply_that_goes_back_to_its_beginning_begins_as_at_first(playout: Playout) -> None:
    playout.saw(audio(1, [10000, -10000] * 500))
    first = playout.pull(200)
    playout.play(Manner.HELD)
    playout.pull(50)
    playout.play(Manner.FULL)
    assert playout.pull(200).tolist() == first.tolist()


def test_a_resume_makes_no_click(playout: Playout) -> None:
    playout.saw(audio(1, np.full(3000, 10000)))
    playout.pull(1500)
    playout.play(Manner.HELD)
    silent = playout.pull(50)
    playout.play(Manner.FULL)
    sound = np.concatenate([[10000], silent, playout.pull(100)])
    assert sound[50] == 0
    assert sound[-1] == 10000
    assert np.abs(np.diff(sound)).max() <= 501


def test_a_ducked_reply_plays_on_without_going_back(playout: Playout) -> None:
    playout.saw(audio(1, np.arange(1000)))
    playout.pull(300)
    playout.play(Manner.DUCKED)
    playout.pull(300)
    playout.play(Manner.FULL)
    assert playout.pull(100)[50:].tolist() == list(range(650, 700))


def test_a_reply_that_may_not_begin_waits_with_all_of_its_sound(playout: Playout) -> None:
    playout.play(Manner.FULL, may_begin=False)
    playout.saw(audio(1, np.full(100, 10000)))
    assert not playout.pull(300).any()
    assert playout.playing() == Playing((1, 0), begun=False, protected=False)
    assert playout.waiting
    playout.play(Manner.FULL, may_begin=True)
    assert playout.pull(2).tolist() == [10000, 10000]
    playout.play(Manner.FULL, may_begin=False)
    assert playout.pull(2).tolist() == [10000, 10000]


def test_a_protected_sentence_that_has_begun_is_lowered_by_6_db_at_most(playout: Playout) -> None:
    playout.saw(text(1))
    playout.saw(text(1, first=500, protected=True))
    playout.saw(audio(1, np.full(2000, 10000)))
    playout.pull(480)
    assert playout.playing() == Playing((1, 0), begun=True, protected=False)
    playout.play(Manner.DUCKED)
    playout.pull(40)
    assert playout.playing() == Playing((1, 0), begun=True, protected=True)
    for manner in (Manner.DUCKED, Manner.HELD):
        playout.play(manner)
        assert playout.pull(100)[-1] == pytest.approx(10000 * PROTECTED_GAIN, abs=2)


def test_words_without_sound_are_neither_played_nor_told(playout: Playout) -> None:
    playout.saw(text(1))
    assert playout.playing() is None
    assert not playout.waiting
    playout.saw(words(2))
    assert finished(playout) == []


def test_a_reply_is_held_although_a_later_one_is_dropped(playout: Playout) -> None:
    playout.saw(audio(1, np.full(1000, 10000)))
    playout.saw(audio(2, [1, 2, 3]))
    playout.pull(100)
    playout.play(Manner.HELD)
    playout.pull(100)
    playout.saw(words(2, revision=1))
    assert finished(playout) == [(2, 0, False)]
    assert not playout.pull(100).any()


def test_a_reply_that_ends_ducked_leaves_the_next_one_at_full_gain(playout: Playout) -> None:
    playout.saw(audio(1, np.full(50, 10000)))
    playout.saw(done(1))
    playout.saw(audio(2, np.full(50, 10000)))
    playout.pull(10)
    playout.play(Manner.DUCKED)
    assert playout.pull(60)[40:].tolist() == [10000] * 20


def test_a_reply_after_a_held_one_begins_in_full(playout: Playout) -> None:
    playout.saw(audio(1, np.full(500, 10000)))
    playout.pull(100)
    playout.play(Manner.HELD)
    playout.pull(100)
    playout.saw(control(2, pb.SpeakerControl.STOP))
    playout.saw(audio(2, np.full(100, 10000)))
    assert playout.pull(1).tolist() == [10000]
    assert finished(playout) == [(1, 120, False)]


def test_the_level_is_that_of_what_was_given_out(playout: Playout) -> None:
    playout.saw(audio(1, [16384, -16384] * 500))
    playout.pull(100)
    assert playout.loudest_dbfs() == pytest.approx(-6.0, abs=0.1)
    assert playout.loudest_dbfs() == -np.inf
    playout.play(Manner.DUCKED)
    playout.pull(100)
    playout.loudest_dbfs()
    playout.pull(100)
    assert playout.loudest_dbfs() == pytest.approx(-24.0, abs=0.1)


def test_goodbye_drops_everything_and_tells_it(playout: Playout) -> None:
    playout.saw(audio(0, [1, 2]))
    playout.saw(audio(1, [1, 2]))
    playout.pull(1)
    playout.drop()
    assert finished(playout) == [(0, 1, False), (1, 0, False)]


def test_what_the_client_says_itself_is_heard_at_once_and_replies_wait(playout: Playout) -> None:
    playout.saw(audio(1, [1, 2, 3, 4]))
    playout.pull(2)
    playout.say(np.array([7, 8, 9], dtype=np.int16))
    assert finished(playout) == [(1, 2, False)]
    assert playout.pull(1).tolist() == [7]
    playout.saw(audio(2, [5, 6]))
    assert (playout.playing(), playout.saying, playout.waiting) == (None, True, True)
    assert playout.pull(4).tolist() == [8, 9, 5, 6]
    assert not playout.saying


def test_no_word_of_the_server_and_no_voice_stops_what_the_client_says(playout: Playout) -> None:
    playout.say(np.array([7, 8, 9], dtype=np.int16))
    playout.play(Manner.HELD, may_begin=False)
    playout.saw(control(1, pb.SpeakerControl.STOP))
    playout.saw(done(1, pb.ReplyDone.INTERRUPTED))
    playout.drop()
    assert playout.pull(4).tolist() == [7, 8, 9, 0]
