"""Whose word it is, in whole talks over real gRPC with engines that hear and speak tones."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from uuid import UUID

import numpy as np
import pytest
from tadbot.v1 import companion_pb2 as pb

from server import spare
from server.answering import NO_HURRY
from server.engines import Generation, Message, Samples, Usage
from server.engines.fake import TONE_SAMPLES, FakeLanguageModel, FakeTextToSpeech, speak_tones
from server.errors import EngineError
from server.prompt import PERSONA
from server.safety import Assessment as Danger
from server.safety import help_lines, wording
from server.sound import to_samples
from server.store import Turn
from tests.integration.house import (
    PAUSE_S,
    RATE,
    CountingModel,
    Served,
    Talker,
    served,
    silence,
)

DUCK, RESUME, STOP = pb.SpeakerControl.DUCK, pb.SpeakerControl.RESUME, pb.SpeakerControl.STOP
WORDS = "My old dog Rex died last winter"
MORE = "and I was not there with him."
LONG_PAUSE_S = 6.0
"""A pause after which speech is about something new."""
NOISE = speak_tones(" " * 40)
"""Loud, and no word."""


class LateVoice(FakeTextToSpeech):
    """Speaks only when it is let."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.asked = 0

    async def stream(self, text: str, voice: str = "") -> AsyncGenerator[Samples, None]:
        self.asked += 1
        await self.may.wait()
        async for sound in super().stream(text, voice):
            yield sound


class Listening(FakeLanguageModel):
    """Says the same to everything."""

    async def stream(
        self, messages: Sequence[Message], generation: Generation, usage: Usage | None = None
    ) -> AsyncGenerator[str, None]:
        yield "Go on, please."


@pytest.fixture
async def house() -> AsyncIterator[Served]:
    async with served(llm=CountingModel()) as made:
        yield made


def chats(house: Served) -> list[list[str]]:
    """Lists what the model was shown, prompt by prompt."""
    made = house.house.engines.llm.chats  # type: ignore[attr-defined]
    return [[one.content for one in chat] for chat in made]


async def rows_of(house: Served, talker: Talker) -> list[tuple[int, int, str, str]]:
    """Says goodbye and reads the log: turn, revision, speaker and words."""
    await talker.goodbye()
    session = UUID((await talker.first("opened")).opened.session_id)
    turns: list[Turn] = list(await house.store.history(session))
    return sorted((one.turn, one.revision, one.speaker, one.text) for one in turns)


async def answered(talker: Talker, pause_s: float = PAUSE_S, words: str = WORDS) -> int:
    """Says something, and waits until the answer is sent but not played; returns its turn."""
    done = len(talker.all("reply_done"))
    await talker.say(words, pause_s)
    await talker.until(lambda: len(talker.all("reply_done")) > done)
    return talker.all("reply_done")[-1].turn


async def pauses(talker: Talker, seconds: float = 0.7) -> None:
    """Is silent in real time, so that the server can think meanwhile."""
    for _ in range(round(seconds / 0.064)):
        await talker.hear(silence(0.064))
        await asyncio.sleep(0.02)


# Who goes on.


async def test_who_goes_on_after_the_answer_began_is_answered_once_as_one_turn(
    house: Served,
) -> None:
    async with house.talk(pb.MEMORY, plays=False) as talker:
        await answered(talker)
        await talker.played(1, 4 * TONE_SAMPLES, finished=False)
        await talker.say(MORE)
        await talker.until(lambda: len(talker.all("reply_done")) > 1)
        assert talker.controls() == [(1, 0, DUCK), (1, 1, STOP)]
        finals = [one for one in talker.all("transcript") if one.transcript.final]
        assert [(one.turn, one.revision) for one in finals] == [(1, 0), (1, 1)]
        assert talker.transcripts[-1] == f"{WORDS} {MORE}"
        assert talker.reply(1) == f"You said: {WORDS} {MORE[:-1]}. How does that feel?"
        assert chats(house)[-1][1:] == [f"{WORDS} {MORE}"]
        rows = await rows_of(house, talker)
    assert [one[:3] for one in rows] == [(1, 1, "person"), (1, 1, "tadbot")]
    assert rows[0][3] == f"{WORDS} {MORE}"


async def test_a_short_answer_that_was_heard_and_asked_nothing_is_replaced_as_well() -> None:
    async with served(llm=Listening()) as house, house.talk(pb.MEMORY) as talker:
        await talker.ask(WORDS)
        await talker.say(MORE)
        await talker.until(lambda: len(talker.all("reply_done")) > 1)
        finals = [one for one in talker.all("transcript") if one.transcript.final]
        assert [(one.turn, one.revision) for one in finals] == [(1, 0), (1, 1)]
        assert talker.transcripts[-1] == f"{WORDS} {MORE}"
        rows = await rows_of(house, talker)
    assert [one[:3] for one in rows] == [(1, 1, "person"), (1, 1, "tadbot")]


async def test_noise_after_a_short_answer_leaves_it_as_it_is() -> None:
    async with served(llm=Listening()) as house, house.talk(pb.MEMORY) as talker:
        await talker.ask(WORDS)
        await talker.hear(np.concatenate([NOISE, silence(4)]))
        await talker.ask(MORE)
        rows = await rows_of(house, talker)
    assert [one[:3] for one in rows if one[0] == 1] == [(1, 0, "person"), (1, 0, "tadbot")]
    assert [one[3] for one in rows if one[2] == "person"] == [WORDS, MORE]
    assert len([one for one in rows if one[2] == "tadbot"]) == 2


async def test_who_speaks_after_a_long_pause_begins_a_turn(house: Served) -> None:
    async with house.talk(plays=False) as talker:
        await answered(talker, LONG_PAUSE_S)
        await answered(talker, words="Today I want to talk of work")
        assert talker.controls() == [(1, 0, DUCK), (2, 0, STOP)]


async def test_who_speaks_after_much_of_the_answer_begins_a_turn(house: Served) -> None:
    long = "I walked " * 30
    async with house.talk(plays=False) as talker:
        await answered(talker, words=long)
        await talker.played(1, 3 * RATE, finished=False)
        await answered(talker, words="Today I want to talk of work")
        assert talker.controls() == [(1, 0, DUCK), (2, 0, STOP)]


async def test_who_answers_a_reply_that_has_ended_begins_a_turn(house: Served) -> None:
    async with house.talk() as talker:
        assert await talker.ask(WORDS)
        await talker.ask("It was hard")
        assert [one.turn for one in talker.all("reply_done")] == [1, 2]
        assert talker.all("speaker") == []


async def test_who_goes_on_before_the_first_sound_is_answered_once() -> None:
    voice, model = LateVoice(), CountingModel()
    async with served(tts=voice, llm=model) as house, house.talk(pb.MEMORY) as talker:
        await talker.say(WORDS)
        async with asyncio.timeout(5):
            while not voice.asked:
                await asyncio.sleep(0.01)
        await talker.hear(speak_tones(MORE))
        await talker.until(lambda: (1, 1, STOP) in talker.controls())
        voice.may.set()
        await talker.hear(silence(PAUSE_S))
        done = await talker.first("reply_done", turn=1)
        assert done.revision in (0, 1)
        await talker.until(lambda: [one for one in talker.all("reply_done") if one.revision == 1])
        assert talker.reply(1).startswith(f"You said: {WORDS} {MORE[:-1]}")
        heard = [one for one in talker.all("reply_audio") if one.revision == 0]
        assert heard == []


async def test_a_turn_that_grows_too_long_is_followed_by_another() -> None:
    part = "and then I said so again " * 9
    async with served(llm=Listening()) as house, house.talk(plays=False) as talker:
        for _ in range(12):
            await answered(talker, words=part)
        turns = [one.turn for one in talker.all("reply_done")]
        assert 1 < max(turns) < 4
        longest = max(talker.transcripts, key=len)
        assert len(longest) < 2000 + 2 * len(part)


async def test_sound_that_arrives_in_a_burst_after_a_stall_brings_one_answer(
    house: Served,
) -> None:
    sounds = [speak_tones(WORDS), silence(2), speak_tones(MORE), silence(2),
              speak_tones("He was a good dog"), silence(PAUSE_S)]  # fmt: skip
    async with house.talk(plays=False) as talker:
        await talker.hear(np.concatenate(sounds), message=2 * RATE)
        await talker.until(lambda: "good dog" in talker.reply(1))
        await pauses(talker, 0.5)
        heard = {(one.turn, one.revision) for one in talker.all("reply_done")
                 if one.reply_done.reason == pb.ReplyDone.COMPLETE}  # fmt: skip
        assert len(heard) == 1


# Who speaks over a reply.


@pytest.mark.parametrize("words", ["Mm-hm", "Yeah", "Okay, right", "I see"])
async def test_a_backchannel_lets_the_reply_go_on(house: Served, words: str) -> None:
    async with house.talk(pb.MEMORY, plays=False) as talker:
        await answered(talker, words="I went to see my sister and her son in the town by the sea")
        await talker.played(1, 10 * TONE_SAMPLES, finished=False)
        await talker.say(f"{words}   {words}")
        await talker.until(lambda: (1, 0, RESUME) in talker.controls())
        assert talker.controls() == [(1, 0, DUCK), (1, 0, RESUME)]
        assert len(talker.transcripts) == 1
        rows = await rows_of(house, talker)
    assert [one[:3] for one in rows] == [(1, 0, "person"), (1, 0, "tadbot")]


async def test_a_noise_lets_the_reply_go_on(house: Served) -> None:
    async with house.talk(plays=False) as talker:
        await answered(talker)
        await talker.hear(np.concatenate([NOISE, silence(PAUSE_S)]))
        await talker.until(lambda: (1, 0, RESUME) in talker.controls())
        assert len(talker.all("reply_done")) == 1


async def test_the_reply_does_not_interrupt_itself(house: Served) -> None:
    async with house.talk(plays=False) as talker:
        await answered(talker)
        said = [to_samples(one.reply_audio.pcm) for one in talker.all("reply_audio")]
        await talker.hear(np.concatenate(said) / 4)
        await pauses(talker)
        assert talker.controls() == []
        assert len(talker.transcripts) == 1


async def test_a_long_interruption_stops_the_reply_before_it_ends(house: Served) -> None:
    async with house.talk(plays=False) as talker:
        await answered(talker, LONG_PAUSE_S)
        await talker.hear(speak_tones("Stop, there is something else that I must tell you now"))
        await talker.until(lambda: (2, 0, STOP) in talker.controls())
        await talker.hear(silence(PAUSE_S))
        done = await talker.first("reply_done", turn=2)
        assert done.reply_done.reason == pb.ReplyDone.COMPLETE


async def test_a_yes_over_a_question_answers_it(house: Served) -> None:
    async with house.talk(plays=False) as talker:
        await answered(talker, LONG_PAUSE_S)
        count = talker.all("reply_done")[0].reply_done.sample_count
        await talker.played(1, count - 100, finished=False)
        await talker.say("Yes, yes, yes")
        await talker.first("reply_done", turn=2)
        assert talker.transcripts[1:] == ["Yes, yes, yes"]


async def test_words_that_outlast_the_reply_are_answered(house: Served) -> None:
    async with house.talk(plays=False) as talker:
        await answered(talker, LONG_PAUSE_S)
        count = talker.all("reply_done")[0].reply_done.sample_count
        await talker.hear(speak_tones("Right, okay, well"))
        await talker.played(1, count, finished=True)
        await talker.hear(silence(PAUSE_S))
        assert (await talker.first("reply_done", turn=2)).turn == 2


async def test_a_noise_does_not_stop_a_help_line_and_words_bring_it_back(house: Served) -> None:
    async with house.talk(country="GB", plays=False) as talker:
        await answered(talker, LONG_PAUSE_S, "I want to kill myself")
        await talker.played(1, 1000, finished=False)
        await talker.hear(np.concatenate([NOISE, silence(PAUSE_S)]))
        await talker.until(lambda: (1, 0, RESUME) in talker.controls())
        await answered(talker, words="Stop it, I do not want to hear that")
        said = talker.reply(2)
        assert said == wording(Danger("high", "ideation"), help_lines("GB"), 1)
        assert "Samaritans" in said
    assert chats(house) == []


async def test_danger_over_a_reply_is_heard_and_answered(house: Served) -> None:
    async with house.talk(country="GB", plays=False) as talker:
        await answered(talker, LONG_PAUSE_S)
        await answered(talker, words="I want to kill myself")
        assert "Samaritans" in talker.reply(2)


async def test_twenty_interruptions_in_a_row_are_each_answered_once() -> None:
    async with served(llm=Listening()) as house, house.talk(plays=False) as talker:
        for turn in range(1, 21):
            await answered(talker, LONG_PAUSE_S, f"No, now I want to talk of thing {turn}")
        await talker.goodbye()
        assert talker.error is None
        done = [(one.turn, one.revision) for one in talker.all("reply_done")]
        assert done == [(turn, 0) for turn in range(1, 21)]


async def test_goodbye_while_somebody_speaks_over_a_reply_ends_the_talk(house: Served) -> None:
    async with house.talk(pb.MEMORY, plays=False) as talker:
        await answered(talker, LONG_PAUSE_S)
        await talker.hear(speak_tones("But I wanted to say that"))
        await talker.goodbye()
        assert talker.error is None
        assert talker.names()[-1] == "closed"
        assert any("wanted to say" in one for one in talker.transcripts)


# Who is far, and who is silent.


async def test_a_television_opens_no_turn(house: Served) -> None:
    async with house.talk() as talker:
        await talker.ask(WORDS)
        far = 0.045 * speak_tones("And now the weather for the whole of the country")
        await talker.hear(np.concatenate([far, silence(PAUSE_S)]))
        await talker.ask("It was hard")
        assert talker.transcripts == [WORDS, "It was hard"]


async def test_a_whisper_opens_a_turn(house: Served) -> None:
    async with house.talk() as talker:
        await talker.ask(WORDS)
        whisper = 0.12 * speak_tones("I whisper this to you")
        await talker.hear(np.concatenate([whisper, silence(PAUSE_S)]))
        await talker.first("reply_done", turn=2)
        assert talker.transcripts == [WORDS, "I whisper this to you"]


async def test_a_long_silence_is_answered_once_until_there_are_words(house: Served) -> None:
    async with house.talk() as talker:
        await talker.ask(WORDS)
        await pauses(talker, 0.1)
        await talker.hear(silence(18), message=2 * RATE)
        assert len(talker.all("reply_done")) == 1
        await talker.hear(silence(60), message=2 * RATE)
        await talker.first("reply_done", turn=2)
        assert talker.reply(2) == NO_HURRY
        await talker.hear(silence(60), message=2 * RATE)
        await talker.ask("It was hard")
        assert [one.turn for one in talker.all("reply_done")] == [1, 2, 3]
        await talker.hear(silence(30), message=2 * RATE)
        await talker.first("reply_done", turn=4)


async def test_a_silence_is_left_alone_where_it_was_so_set() -> None:
    settings = {"conversation": {"silence_s": 0}}
    async with served(overrides=settings) as house, house.talk() as talker:
        await talker.hear(silence(600), message=2 * RATE)
        await talker.goodbye()
        assert [one for one in talker.names() if one != "help_lines"] == [
            "opened",
            "state",
            "closed",
        ]


# How much is done ahead.


async def _asked_in_the_pause(house: Served) -> bool:
    """Whether the model is asked while it is not sure that the turn is over."""
    async with house.talk() as talker:
        await talker.hear(speak_tones(WORDS))
        for _ in range(9):
            await talker.hear(silence(0.064))
            await asyncio.sleep(0.02)
        asked = bool(chats(house))
        assert talker.transcripts == []
        await talker.hear(silence(PAUSE_S))
        await talker.first("reply_done")
        assert talker.reply(1).startswith("You said")
    return asked


async def test_the_model_is_asked_in_the_pause(house: Served) -> None:
    assert await _asked_in_the_pause(house)


async def test_the_model_is_not_asked_ahead_where_it_was_so_set() -> None:
    settings = {"conversation": {"answer_ahead": False}}
    async with served(overrides=settings, llm=CountingModel()) as house:
        assert not await _asked_in_the_pause(house)
        assert read_ahead(house) == []


async def test_the_model_is_not_asked_ahead_while_the_cores_are_busy(
    house: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spare.Spare, "busy", property(lambda self: True))
    assert not await _asked_in_the_pause(house)
    assert read_ahead(house) == []


def read_ahead(house: Served) -> list[list[str]]:
    """Lists the beginnings of prompts that the model read ahead."""
    made = house.house.engines.llm.beginnings  # type: ignore[attr-defined]
    return [[one.content for one in chat] for chat in made]


async def test_what_is_known_of_a_prompt_is_read_while_the_person_speaks(house: Served) -> None:
    async with house.talk() as talker:
        await talker.ask(WORDS)
        await talker.hear(speak_tones(MORE))
        await talker.until(lambda: len(read_ahead(house)) > 1)
        assert talker.transcripts == [WORDS]
        await talker.hear(silence(PAUSE_S))
        await talker.until(lambda: talker.reply(2).endswith("feel?"))
    assert read_ahead(house) == [[PERSONA], [PERSONA, WORDS, talker.reply(1)]]
    assert [chat[: len(chat) - 1] for chat in chats(house)] == read_ahead(house)


async def test_what_goes_on_with_a_turn_is_answered_from_before_it(house: Served) -> None:
    async with house.talk(plays=False) as talker:
        await answered(talker)
        await talker.played(1, 4 * TONE_SAMPLES, finished=False)
        await talker.say(MORE)
        await talker.until(lambda: len(talker.all("reply_done")) > 1)
    assert read_ahead(house) == [[PERSONA], [PERSONA]]


async def test_an_answer_waits_until_the_beginning_is_read(house: Served) -> None:
    model = house.house.engines.llm
    model.may_answer.clear()  # type: ignore[attr-defined]
    async with house.talk() as talker:
        await talker.say(WORDS)
        await talker.until(lambda: WORDS in talker.transcripts)
        await asyncio.sleep(0.2)
        assert chats(house) == []
        model.may_answer.set()  # type: ignore[attr-defined]
        await talker.until(lambda: talker.reply(1).endswith("feel?"))


async def test_a_model_that_cannot_read_ahead_still_answers() -> None:
    class Failing(CountingModel):
        async def prefill(self, messages: Sequence[Message]) -> None:
            raise EngineError("no room")

    async with served(llm=Failing()) as house, house.talk() as talker:
        assert (await talker.ask(WORDS)).startswith("You said")


async def test_what_a_prompt_cost_is_told_with_the_times_of_its_turn(house: Served) -> None:
    async with house.talk() as talker:
        await talker.ask(WORDS)
        latency = (await talker.first("turn_latency")).turn_latency
    assert (latency.prompt_tokens, latency.cached_tokens) == (30, 20)


async def test_a_slow_pace_waits_longer(house: Served) -> None:
    async with house.talk(pace=pb.Open.SLOW) as talker:
        await talker.hear(speak_tones(WORDS))
        await pauses(talker, 1.1)
        assert talker.transcripts == []
        await talker.ask(" and his tail.")
        assert talker.transcripts == [f"{WORDS} and his tail."]
