"""One reply: what is spoken of what the model says, and what of it was heard."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import numpy as np
import pytest

from server import reply as reply_module
from server.engines import Engines, Generation, Message, Samples, Usage
from server.engines.fake import (
    TONE_SAMPLES,
    FakeLanguageModel,
    FakeSpeechToText,
    FakeTextToSpeech,
    FakeVoiceActivity,
    hear_tones,
)
from server.errors import EngineError
from server.reply import CHUNK_S, FALLBACK, Reply, split_sentences
from server.safety.guard import REPLACEMENTS

CHAT = [Message("user", "Hello.")]


class Scripted(FakeLanguageModel):
    """Says pieces, then goes on as told: ends, fails or hangs."""

    def __init__(self, *pieces: str, then: str = "ends") -> None:
        self._pieces = pieces
        self._then = then
        self.hanging = asyncio.Event()
        self.given = 0
        self.closed = False

    async def stream(
        self, messages: Sequence[Message], generation: Generation, usage: Usage | None = None
    ) -> AsyncGenerator[str, None]:
        try:
            for piece in self._pieces:
                self.given += 1
                yield piece
            if self._then == "fails":
                raise EngineError
            if self._then == "hangs":
                self.hanging.set()
                await asyncio.Event().wait()
        finally:
            self.closed = True


class Hoarse(FakeTextToSpeech):
    """Fails on every clause."""

    async def stream(self, text: str, voice: str = "") -> AsyncGenerator[Samples, None]:
        raise EngineError
        yield np.zeros(0, np.float32)


class Sent:
    """What a reply sent, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    async def __call__(self, **event: Any) -> None:
        self.events += event.items()

    def all(self, name: str) -> list[Any]:
        return [value for key, value in self.events if key == name]

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.all("reply_text")]

    @property
    def notices(self) -> list[str]:
        return [one.code for one in self.all("notice")]

    @property
    def sound(self) -> Samples:
        pcm = b"".join(one.pcm for one in self.all("reply_audio"))
        return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768


def a_reply(model: FakeLanguageModel, voice: FakeTextToSpeech | None = None) -> tuple[Reply, Sent]:
    engines = Engines(
        FakeVoiceActivity(), FakeSpeechToText(), None, model, voice or FakeTextToSpeech(), None
    )
    sent = Sent()
    return Reply(engines, sent), sent


async def answered(*pieces: str, then: str = "ends") -> tuple[Reply, Sent, Scripted]:
    model = Scripted(*pieces, then=then)
    reply, sent = a_reply(model)
    await reply.answer(CHAT, Generation())
    return reply, sent, model


async def test_each_sentence_is_a_clause_followed_by_its_sound() -> None:
    reply, sent, _ = await answered("That hurts. ", "I hear", " you.")
    assert sent.texts == ["That hurts.", " I hear you."]
    assert sent.events[0][0] == "reply_text"
    assert sent.all("reply_text")[1].first_sample == reply.clauses[0].end
    assert hear_tones(sent.sound) == "That hurts.I hear you."
    assert reply.text == "That hurts. I hear you."


async def test_sound_comes_in_short_messages_that_join_up() -> None:
    reply, sent, _ = await answered("That must have been very hard for you to carry alone.")
    chunks = sent.all("reply_audio")
    lengths = [len(one.pcm) // 2 for one in chunks]
    assert max(lengths) <= CHUNK_S * reply.sample_rate_hertz
    starts = [sum(lengths[:place]) for place in range(len(lengths))]
    assert [one.first_sample for one in chunks] == starts
    assert reply.sample_count == sum(lengths)


async def test_the_first_clause_ends_at_a_comma() -> None:
    _, sent, _ = await answered("It sounds like a lot to carry, and you are very tired, I think.")
    assert sent.texts == ["It sounds like a lot to carry,", " and you are very tired, I think."]


async def test_a_comma_near_the_beginning_ends_nothing() -> None:
    _, sent, _ = await answered("Oh, I am sorry.")
    assert sent.texts == ["Oh, I am sorry."]


async def test_one_question_at_most_is_asked() -> None:
    reply, sent, model = await answered("How was it? ", "And why? ", "And when? ")
    assert sent.texts == ["How was it?"]
    assert model.closed
    assert model.given < 3
    assert not reply.failed


async def test_three_sentences_at_most_are_spoken() -> None:
    _, sent, model = await answered("One. ", "Two. ", "Three. ", "Four. ", "Five. ")
    assert sent.texts == ["One.", " Two.", " Three."]
    assert model.closed


async def test_an_unfit_clause_is_replaced_and_ends_the_reply() -> None:
    reply, sent, model = await answered("I hear you. ", "Call 555 123 4567. ", "Then rest. ")
    assert sent.texts == ["I hear you.", " " + REPLACEMENTS["number"]]
    assert reply.caught == ["number"]
    assert reply.replaced == 1
    assert model.closed


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("And as a fellow human being, ", "I know that. ", "human"),
        ("You can reach them on nine, ", "eight, eight. ", "number"),
    ],
)
async def test_a_clause_is_screened_with_the_first_half_of_its_sentence(
    first: str, second: str, code: str
) -> None:
    reply, sent, model = await answered(first, second, "So.")
    assert sent.texts == [first.strip(), " " + REPLACEMENTS[code]]
    assert reply.caught == [code]
    assert model.closed


async def test_what_was_said_in_an_earlier_sentence_is_over() -> None:
    reply, sent, _ = await answered("I am listening to you. ", "Human beings need rest. ")
    assert sent.texts == ["I am listening to you.", " Human beings need rest."]
    assert reply.caught == []


async def test_a_fragment_without_an_end_is_spoken_only_where_nothing_else_was() -> None:
    assert (await answered("Well then"))[1].texts == ["Well then"]
    assert (await answered("I see. And then the"))[1].texts == ["I see."]


async def test_signs_that_cannot_be_spoken_are_left_out() -> None:
    _, sent, _ = await answered("*I* am 😀 here,\nwith `you`.")
    assert sent.texts == ["I am  here, with you."]


async def test_a_model_that_fails_at_once_is_covered_by_a_fixed_sentence() -> None:
    reply, sent, _ = await answered(then="fails")
    assert sent.texts == [FALLBACK]
    assert sent.notices == ["LLM_FAILED"]
    assert reply.failed


async def test_a_model_that_fails_in_mid_reply_leaves_what_was_said() -> None:
    reply, sent, _ = await answered("I hear you. ", "And ", then="fails")
    assert sent.texts == ["I hear you."]
    assert sent.notices == ["LLM_FAILED"]
    assert reply.failed


async def test_a_model_that_says_nothing_is_covered_too() -> None:
    reply, sent, _ = await answered(" ", "\n")
    assert sent.texts == [FALLBACK]
    assert not reply.failed


async def test_a_model_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_module, "PIECE_TIMEOUT_S", 0.01)
    reply, sent, model = await answered(then="hangs")
    assert sent.texts == [FALLBACK]
    assert reply.failed
    assert model.closed


async def test_without_a_voice_the_text_is_sent_alone_and_counts_as_heard() -> None:
    reply, sent = a_reply(Scripted("I hear you. ", "How was it?"), Hoarse())
    await reply.answer(CHAT, Generation())
    assert sent.texts == ["I hear you.", " How was it?"]
    assert sent.notices == ["TTS_FAILED"]
    assert sent.all("reply_audio") == []
    assert reply.failed
    assert reply.heard(0) == "I hear you. How was it?"


async def test_a_scripted_text_is_spoken_as_it_stands() -> None:
    reply, sent = a_reply(Scripted())
    await reply.say("Call 9 1 1 now. Are you safe? Stay here. Please.", protected=True)
    assert "".join(sent.texts) == "Call 9 1 1 now. Are you safe? Stay here. Please."
    assert all(one.protected for one in sent.all("reply_text"))
    assert hear_tones(sent.sound).startswith("Call 9 1 1 now.Are you safe?")


async def test_what_was_heard_ends_at_a_whole_word() -> None:
    reply, _, _ = await answered("One two three. ", "Four five.")
    letter = TONE_SAMPLES
    assert reply.heard(0) == ""
    assert reply.heard(2 * letter) == ""
    assert reply.heard(6 * letter) == "One"
    assert reply.heard(10 * letter) == "One two"
    assert reply.heard(14 * letter) == "One two three."
    assert reply.heard(20 * letter) == "One two three. Four"
    assert reply.heard(10**9) == "One two three. Four five."


async def test_the_stages_are_timed_in_their_order() -> None:
    reply, _, _ = await answered("I hear you.")
    timing = reply.timing
    reached = [
        timing.prompt_at,
        timing.first_piece_at,
        timing.first_clause_at,
        timing.first_text_at,
        timing.first_sound_at,
    ]
    assert None not in reached
    assert reached == sorted(reached)  # type: ignore[type-var]


async def test_cancelling_a_reply_closes_the_models_stream() -> None:
    model = Scripted("I hear you. ", then="hangs")
    reply, _ = a_reply(model)
    task = asyncio.create_task(reply.answer(CHAT, Generation()))
    await model.hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.closed
    assert reply.text == "I hear you."


async def test_a_clause_that_was_cut_off_by_cancelling_counts_as_far_as_it_was_sent() -> None:
    reply, sent = a_reply(Scripted())

    async def twice_only(**event: Any) -> None:
        await sent(**event)
        if len(sent.all("reply_audio")) == 2:
            raise asyncio.CancelledError

    reply._send = twice_only
    with pytest.raises(asyncio.CancelledError):
        await reply.say("This sentence is much longer than two messages of sound are.")
    assert 0 < reply.clauses[0].end < len(sent.sound)
    assert reply.sample_count == reply.clauses[0].end


@pytest.mark.parametrize("text", ["", "One", "One. Two? Three!", 'He said "go." And I went…  ok'])
def test_sentences_join_to_the_text_again(text: str) -> None:
    assert "".join(split_sentences(text)) == text


def test_numbers_and_abbreviations_inside_a_sentence_do_not_split_it() -> None:
    assert split_sentences("It was 3.5 km away.") == ["It was 3.5 km away."]
