"""The fakes work: what one says the other hears, and the same each time."""

import numpy as np
import pytest

from server.engines import LABELS, Engines, Generation, Message, Samples
from server.engines.fake import (
    ALPHABET,
    FakeEmbedder,
    FakeEmotionRecognizer,
    FakeLanguageModel,
    FakeSpeechToText,
    FakeTextToSpeech,
    FakeVoiceActivity,
    hear_tones,
    speak_tones,
)
from server.hearing import Hearing, Utterance
from server.patience import Patience
from server.sound import to_pcm, to_samples
from server.turn_taking import MARGIN

TEXTS = [
    "I slept badly.",
    "One  two   three",
    "Why? Because! (It's 100 % true; 'quite'.)",
    ALPHABET.strip(),
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
]


async def speak(text: str) -> Samples:
    sounds = [sound async for sound in FakeTextToSpeech().stream(text)]
    return np.concatenate(sounds) if sounds else np.zeros(0, np.float32)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("before", [0, 1, 5, 333, 16_000])
async def test_what_the_voice_says_the_recogniser_hears(text: str, before: int) -> None:
    recognition = FakeSpeechToText().open()
    await recognition.feed(np.zeros(before, np.float32))
    await recognition.feed(await speak(text))
    await recognition.feed(np.zeros(4000, np.float32))
    assert (await recognition.settle()).text == text


@pytest.mark.parametrize("piece", [1, 7, 320, 1000, 10**6])
async def test_the_pieces_that_it_is_fed_in_do_not_matter(piece: int) -> None:
    sound = np.concatenate([np.zeros(1234, np.float32), await speak(TEXTS[0])])
    recognition = FakeSpeechToText().open()
    words = ""
    for first in range(0, len(sound), piece):
        newer = await recognition.feed(sound[first : first + piece])
        assert newer.startswith(words)
        words = newer
    assert words == (await recognition.settle()).text == TEXTS[0]


@pytest.mark.parametrize("text", [text for text in TEXTS if len(text) > 9])
@pytest.mark.parametrize("before", [0, 100, 511, 16_100])
async def test_it_is_understood_when_hearing_cut_it_out(text: str, before: int) -> None:
    engines = Engines(
        FakeVoiceActivity(),
        FakeSpeechToText(),
        FakeEmotionRecognizer(),
        FakeLanguageModel(),
        FakeTextToSpeech(),
        FakeEmbedder(),
    )
    hearing = Hearing(engines, "en", Patience(0.8), 30, lambda look: None)
    quiet = np.zeros(before, np.float32), np.zeros(16_000 + MARGIN, np.float32)
    sound = np.concatenate([quiet[0], await speak(text), quiet[1]])
    heard = []
    for first in range(0, len(sound), 1024):
        async for event in hearing.feed(sound[first : first + 1024]):
            if isinstance(event, Utterance):
                heard.append((await event.settled).text)
    assert heard == [text]


async def test_sixteen_bits_are_enough_for_the_tones() -> None:
    assert hear_tones(to_samples(to_pcm(await speak(TEXTS[0])))) == TEXTS[0]


def test_what_has_no_tone_is_a_question_mark() -> None:
    assert hear_tones(speak_tones("café 😀.")) == "caf? ?."


async def test_nothing_to_say_has_no_sound() -> None:
    assert len(await speak("  ")) == 0
    assert hear_tones(np.zeros(0, np.float32)) == ""
    assert hear_tones(np.zeros(99_999, np.float32)) == ""


async def test_noise_is_heard_as_something_without_an_error() -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, 50_000).astype(np.float32)
    recognition = FakeSpeechToText().open()
    await recognition.feed(noise)
    assert (await recognition.settle()).text


async def test_voice_activity_judges_whole_windows() -> None:
    track = FakeVoiceActivity().open()
    tone = speak_tones("a" * 16)
    assert await track.feed(tone[:100]) == []
    assert await track.feed(tone[100:1100]) == [1.0, 1.0]
    assert await track.feed(np.zeros(2048, np.float32)) == [1.0, 0.0, 0.0, 0.0]


async def test_the_model_says_back_what_was_said() -> None:
    model = FakeLanguageModel()
    chat = [Message("system", "Be kind."), Message("user", "(notes)\nI am tired.")]
    words = "".join([piece async for piece in model.stream(chat, Generation())])
    assert words == "You said: I am tired. How does that feel?"
    short = [piece async for piece in model.stream(chat, Generation(max_tokens=2))]
    assert "".join(short) == "You said:"
    assert [piece async for piece in model.stream([], Generation())]


@pytest.mark.parametrize(
    ("colour", "label"),
    [
        ((200, 20, 20), "anger"),
        ((20, 200, 20), "happiness"),
        ((20, 20, 200), "sadness"),
        ((99, 99, 99), "neutral"),
    ],
)
async def test_a_colour_has_a_feeling(colour: tuple[int, int, int], label: str) -> None:
    scores = await FakeEmotionRecognizer().recognize(np.full((8, 8, 3), colour, np.uint8))
    assert scores[0].label == label
    assert len({score.label for score in scores}) == 3
    assert {score.label for score in scores} <= set(LABELS)


async def test_a_dark_picture_has_no_face() -> None:
    dark = np.zeros((8, 8, 3), np.uint8)
    assert await FakeEmotionRecognizer().recognize(dark) == []
    assert await FakeEmotionRecognizer().recognize(dark, cropped=True)


async def test_texts_that_share_words_are_near() -> None:
    texts = ["My dog died.", "my dog died", "My dog is alive", "Quantum flux"]
    same, again, near, far = await FakeEmbedder().embed(texts, "query")
    assert same @ again == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(near) == pytest.approx(1, abs=1e-5)
    assert same @ again > same @ near > same @ far
