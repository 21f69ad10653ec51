"""One contract for every engine that is installed: the fakes and the real small ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from server import models
from server.config import Settings, load
from server.engines import (
    LABELS,
    SAMPLE_RATE_HERTZ,
    VOICE_WINDOW,
    Generation,
    Message,
    Samples,
    Usage,
)
from server.engines.loading import load_engine
from server.errors import VoiceUnknownError
from server.pictures import load_picture
from tests.acceptance.house import plain

PROFILES = ("fake", "cpu", "pi")
WORDS = "How are you today, my friend?"
MANY_WORDS = (
    "I told him that I could not go on like that, and he said it was all my own fault, "
    "so I packed a bag and drove to my mother's house in the middle of the night."
)
QUESTION = [Message("system", "You are kind."), Message("user", "I feel a bit sad today.")]


@pytest.fixture(params=PROFILES)
def settings(request: pytest.FixtureRequest) -> Settings:
    return load(profile=request.param)


@asynccontextmanager
async def engine(seam: str, settings: Settings) -> AsyncIterator[Any]:
    loaded = load_engine(seam, settings)
    try:
        await loaded.warm_up()
        yield loaded
    finally:
        await loaded.close()
        await loaded.close()


async def _say(settings: Settings, words: str = WORDS) -> Samples:
    """Speaks with the profile's own voice, at the rate that is heard."""
    import samplerate

    async with engine("tts", settings) as tts:
        sound = np.concatenate([part async for part in tts.stream(words)])
        return np.asarray(
            samplerate.resample(sound, SAMPLE_RATE_HERTZ / tts.sample_rate_hertz, "sinc_fastest"),
            dtype=np.float32,
        )


async def test_a_beginning_that_was_read_ahead_is_found_again(settings: Settings) -> None:
    if settings.profile == "fake":
        pytest.skip("the fake model reads nothing")
    persona = Message("system", "You are kind to everybody who comes to you, whoever it may be.")
    talk = [persona, Message("user", "Hello there."), Message("assistant", "Hello, how are you?")]
    async with engine("llm", settings) as llm:
        cold, warm = Usage(), Usage()
        chat = [*talk, QUESTION[1]]
        await anext(llm.stream([Message("user", "Who are you?")], Generation(1, 0.0), cold))
        await llm.prefill(talk)
        assert [piece async for piece in llm.stream(chat, Generation(5, 0.0), warm)]
    assert cold.prompt_tokens
    assert 20 < (warm.cached_tokens or 0) < (warm.prompt_tokens or 0)
    assert (warm.prompt_tokens or 0) - (warm.cached_tokens or 0) < 20


async def test_a_voice_speaks_and_knows_its_voices(settings: Settings) -> None:
    async with engine("tts", settings) as tts:
        sound = np.concatenate([part async for part in tts.stream(WORDS)])
        assert sound.dtype == np.float32
        assert 0.05 < np.abs(sound).max() <= 1
        assert [part async for part in tts.stream(" ")] == []
        if settings.profile != "fake":
            with pytest.raises(VoiceUnknownError):
                await anext(tts.stream(WORDS, "nobody"))


async def test_what_is_spoken_is_heard(settings: Settings) -> None:
    async with engine("stt", settings) as stt:
        recognition = stt.open()
        for part in np.array_split(await _say(settings), 20):
            await recognition.feed(part)
        assert plain((await recognition.settle()).text) == plain(WORDS)
        assert plain((await recognition.settle()).text) == plain(WORDS)
        assert (await stt.open().settle()).text == ""


async def test_a_long_sentence_is_heard_to_its_last_word(settings: Settings) -> None:
    async with engine("stt", settings) as stt:
        recognition = stt.open("en")
        await recognition.feed(await _say(settings, MANY_WORDS))
        heard = plain((await recognition.settle()).text).split()
        assert heard[-6:] == plain(MANY_WORDS).split()[-6:]
        assert len(heard) == pytest.approx(len(MANY_WORDS.split()), abs=3)


async def test_voice_activity_tells_speech_from_silence(settings: Settings) -> None:
    async with engine("voice_activity", settings) as activity:
        track = activity.open()
        silence = np.zeros(10 * VOICE_WINDOW + 7, np.float32)
        assert max(await track.feed(silence)) < 0.3
        judged = [one for part in np.array_split(await _say(settings), 30)
                  for one in await track.feed(part)]  # fmt: skip
        assert np.mean(np.array(judged) > 0.5) > 0.4


async def test_words_stream_and_closing_stops_them(settings: Settings) -> None:
    async with engine("llm", settings) as llm:
        whole = [piece async for piece in llm.stream(QUESTION, Generation(20, 0.0))]
        assert "".join(whole).strip()
        again = [piece async for piece in llm.stream(QUESTION, Generation(20, 0.0))]
        assert again == whole
        endless = llm.stream(QUESTION, Generation(2000, 0.7))
        await anext(endless)
        await endless.aclose()
        # A model that still ran would keep its only thread from the next reply.
        async with asyncio.timeout(20):
            await anext(llm.stream(QUESTION, Generation(5, 0.0)))


async def test_vectors_have_length_one_and_paraphrases_are_near(settings: Settings) -> None:
    async with engine("embedder", settings) as embedder:
        texts = ["My sister Anna moved to Spain.", "I am afraid of the dentist."]
        kept = await embedder.embed(texts, "passage")
        asked = await embedder.embed(["My sister Anna called me"], "query")
        assert kept.shape == (2, embedder.dimensions)
        assert np.linalg.norm(kept, axis=1) == pytest.approx(1, abs=1e-3)
        assert (kept @ asked[0]).argmax() == 0


async def test_a_face_has_three_feelings_and_darkness_none(settings: Settings) -> None:
    async with engine("emotion", settings) as emotion:
        scores = await emotion.recognize(load_picture(models.path_of("demo-face")))
        assert len(scores) == 3
        assert {one.label for one in scores} <= set(LABELS)
        assert scores == sorted(scores, key=lambda one: -one.probability)
        assert sum(one.probability for one in scores) <= 1.0001
        assert await emotion.recognize(np.zeros((480, 640, 3), np.uint8)) == []
