"""Which reply is being said, and how much of it is taken for heard."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tadbot.v1 import companion_pb2 as pb

from server.engines import Engines
from server.engines.fake import (
    TONE_SAMPLES,
    FakeLanguageModel,
    FakeSpeechToText,
    FakeTextToSpeech,
    FakeVoiceActivity,
)
from server.errors import EngineError
from server.outbox import Outbox
from server.reply import Reply
from server.safety import Assessment
from server.speaking import Saying, Speaking

TEXT = "One two three."
SAMPLES = len(TEXT) * TONE_SAMPLES
DONE = pb.ReplyDone


class Mute(FakeTextToSpeech):
    """Cannot speak."""

    def stream(self, text: str, voice: str = "") -> AsyncIterator[object]:  # type: ignore[override]
        raise EngineError


class Room:
    """One voice, what it sent, and what it noted."""

    def __init__(self, tasks: asyncio.TaskGroup, voice: FakeTextToSpeech) -> None:
        self.sent: list[pb.ConverseResponse] = []
        self.noted: list[tuple[int, bool, float]] = []
        engines = Engines(
            FakeVoiceActivity(), FakeSpeechToText(), None, FakeLanguageModel(), voice, None
        )
        self.speaking = Speaking(engines, Outbox(self._send), tasks, self._note)

    async def _send(self, response: pb.ConverseResponse) -> None:
        self.sent.append(response)

    def _note(self, saying: Saying) -> None:
        self.noted.append((saying.turn, saying.settled, saying.heard_fraction))

    def events(self, name: str) -> list[pb.ConverseResponse]:
        return [one for one in self.sent if one.WhichOneof("event") == name]

    def played(self, turn: int, count: int, finished: bool, revision: int = 0) -> None:
        told = pb.Played(turn=turn, sample_count=count, finished=finished, revision=revision)
        self.speaking.played(told)

    @property
    def controls(self) -> list[int]:
        return [one.speaker.action for one in self.events("speaker")]

    @property
    def reasons(self) -> list[tuple[int, int]]:
        return [(one.turn, one.reply_done.reason) for one in self.events("reply_done")]

    async def said(self, turn: int = 1) -> Saying:
        """Says TEXT to its end."""
        saying = self.speaking.begin(turn, lambda reply: reply.say(TEXT))
        await self.speaking.wait()
        return saying

    async def saying(self, turn: int = 1) -> Saying:
        """Says TEXT, and has not ended when this returns."""
        spoken = asyncio.Event()

        async def forever(reply: Reply) -> None:
            await reply.say(TEXT)
            spoken.set()
            await asyncio.Event().wait()

        begun = self.speaking.begin(turn, forever)
        await spoken.wait()
        return begun


@pytest.fixture
def voice() -> FakeTextToSpeech:
    return FakeTextToSpeech()


@pytest.fixture
async def room(voice: FakeTextToSpeech) -> AsyncIterator[Room]:
    async with asyncio.TaskGroup() as tasks:
        made = Room(tasks, voice)
        yield made
        made.speaking.cancel()


async def test_a_reply_that_was_sent_is_complete_and_the_server_listens(room: Room) -> None:
    saying = await room.said()
    assert room.reasons == [(1, DONE.COMPLETE)]
    assert room.events("reply_done")[0].reply_done.sample_count == SAMPLES
    assert room.sent[-1].state.activity == pb.State.LISTENING
    assert saying.sent
    assert not saying.settled
    assert [settled for _, settled, _ in room.noted] == [False]


async def test_what_the_client_played_is_what_was_heard(room: Room) -> None:
    saying = await room.said()
    room.played(1, 8 * TONE_SAMPLES, finished=False)
    assert saying.heard == "One two"[: len("One")] + " two"
    assert saying.heard_fraction == pytest.approx(8 / 14)
    assert not saying.settled
    room.played(1, SAMPLES, finished=True)
    assert (saying.heard, saying.heard_fraction) == (TEXT, 1.0)
    assert room.noted[-1] == (1, True, 1.0)


async def test_a_client_that_dropped_the_rest_settles_what_was_heard(room: Room) -> None:
    saying = await room.said()
    room.played(1, 8 * TONE_SAMPLES, finished=True)
    assert saying.settled
    assert saying.heard == "One two"


async def test_what_was_played_may_go_back_to_a_word_but_never_exceeds_the_reply(
    room: Room,
) -> None:
    saying = await room.said()
    room.played(1, 4000, finished=False)
    room.played(1, 100, finished=False)
    assert saying.heard_samples == 100
    room.played(1, 2**60, finished=False)
    assert saying.heard_samples == SAMPLES


async def test_word_of_an_unknown_turn_or_revision_changes_nothing(room: Room) -> None:
    saying = await room.said()
    room.played(7, SAMPLES, finished=True)
    room.played(1, SAMPLES, finished=True, revision=1)
    assert saying.played is None
    assert len(room.noted) == 1


async def test_without_the_clients_word_the_clock_bounds_what_was_heard(room: Room) -> None:
    saying = await room.said()
    begun = saying.reply.timing.first_sound_at
    assert begun is not None
    saying.stopped_at = begun + 0.1
    assert saying.heard_samples == pytest.approx(1600, abs=1)
    saying.stopped_at = begun + 1000
    assert saying.heard_samples == SAMPLES


async def test_stopping_tells_the_speaker_and_ends_the_reply(room: Room) -> None:
    saying = await room.saying()
    await room.speaking.stop(2)
    await room.speaking.wait()
    await asyncio.sleep(0)
    (stop,) = room.events("speaker")
    assert (stop.turn, stop.speaker.action) == (2, pb.SpeakerControl.STOP)
    assert room.reasons == [(1, DONE.INTERRUPTED)]
    assert saying.interrupted
    assert saying.settled


async def test_ducking_is_told_once_and_taken_back_once(room: Room) -> None:
    await room.said()
    await room.speaking.resume(1)
    await room.speaking.duck(1)
    await room.speaking.duck(1)
    await room.speaking.resume(1)
    await room.speaking.resume(1)
    assert room.controls == [pb.SpeakerControl.DUCK, pb.SpeakerControl.RESUME]


async def test_a_reply_after_a_ducked_one_can_be_ducked_again(room: Room) -> None:
    await room.said()
    await room.speaking.duck(1)
    room.played(1, SAMPLES, finished=True)
    await room.said(turn=2)
    await room.speaking.duck(2)
    assert room.controls == [pb.SpeakerControl.DUCK] * 2


async def test_a_reply_whose_place_another_takes_is_not_noted_again(room: Room) -> None:
    saying = await room.said()
    saying.replaced = True
    await room.speaking.stop(1)
    assert room.noted == [(1, False, room.noted[0][2])]


async def test_a_reply_sounds_from_its_first_sound_until_its_end(room: Room) -> None:
    assert room.speaking.sounding is None
    saying = await room.said()
    assert room.speaking.sounding is saying
    room.played(1, SAMPLES, finished=True)
    assert room.speaking.sounding is None


async def test_stopping_while_nothing_is_said_does_nothing(room: Room) -> None:
    await room.speaking.stop(1)
    saying = await room.said()
    room.played(1, SAMPLES, finished=True)
    await room.speaking.stop(2)
    assert room.events("speaker") == []
    assert not saying.interrupted


async def test_a_reply_that_was_sent_but_still_plays_can_be_stopped(room: Room) -> None:
    saying = await room.said()
    room.played(1, 100, finished=False)
    await room.speaking.stop(2)
    assert len(room.events("speaker")) == 1
    assert saying.interrupted
    assert room.reasons == [(1, DONE.COMPLETE)]


async def test_word_that_comes_after_an_interruption_still_counts(room: Room) -> None:
    saying = await room.saying()
    await room.speaking.stop(2)
    await room.said(2)
    room.played(1, 8 * TONE_SAMPLES, finished=True)
    assert saying.heard == "One two"
    assert (1, True, pytest.approx(8 / 14)) == room.noted[-1]


async def test_a_new_reply_cuts_the_old_one_off(room: Room) -> None:
    old = await room.saying(1)
    new = await room.said(2)
    assert sorted(room.reasons) == [(1, DONE.INTERRUPTED), (2, DONE.COMPLETE)]
    assert (old.interrupted, new.interrupted) == (True, False)
    assert room.speaking.saying is new


async def test_nothing_of_a_reply_is_sent_after_it_was_stopped(room: Room) -> None:
    await room.saying(1)
    await room.speaking.stop(2)
    await room.speaking.wait()
    await asyncio.sleep(0)
    after = room.sent.index(room.events("speaker")[0]) + 1
    assert {one.WhichOneof("event") for one in room.sent[after:]} == {"reply_done"}


async def test_a_reply_keeps_what_it_answers(room: Room) -> None:
    danger = Assessment("high", "ideation")
    saying = room.speaking.begin(1, lambda reply: reply.say(TEXT), danger, discloses=True)
    await room.speaking.wait()
    assert saying.answers == danger
    assert saying.discloses


async def test_goodbye_settles_what_still_plays(room: Room) -> None:
    saying = await room.said()
    room.speaking.end()
    assert saying.settled
    assert len(room.noted) == 2
    room.speaking.end()
    assert len(room.noted) == 2


@pytest.mark.parametrize("voice", [Mute()])
async def test_a_reply_without_sound_counts_as_heard_once_it_was_sent(room: Room) -> None:
    saying = await room.said()
    assert room.reasons == [(1, DONE.FAILED)]
    assert room.events("reply_done")[0].reply_done.sample_count == 0
    assert saying.settled
    assert (saying.heard, saying.heard_fraction) == (TEXT, 1.0)
