"""Bad sound at the real ears, Silero and Whisper: noise, music, distortion, a wrong clock."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace

import jiwer
import numpy as np
import pytest
import pytest_asyncio

import server.hearing
from server.config import Settings
from server.engines import (
    SAMPLE_RATE_HERTZ,
    VOICE_WINDOW,
    Engines,
    Heard,
    Recognition,
    Samples,
    stt_faster_whisper,
)
from server.engines.fake import (
    FakeEmbedder,
    FakeEmotionRecognizer,
    FakeLanguageModel,
    FakeSpeechToText,
    FakeTextToSpeech,
)
from server.engines.loading import load_engine
from server.hearing import Hearing, SpeechStarted, Utterance
from server.patience import Patience
from server.sound import to_pcm, to_samples
from tests.acceptance.bad_sound import distorted, music, noise, offset, singing, tone
from tests.acceptance.house import plain
from tests.benchmarks.scenes import Clip, silence, spoken
from tests.integration.house import MESSAGE, Talker, served

TEXTS = (
    "My sister called me yesterday, and we talked for an hour.",
    "I slept badly last night, and I woke up early.",
    "I want to find a new place to live this year.",
)
ROOM_DBFS = -65.0
LEAD_S, REST_S = 1.0, 4.0
"""Silence before what is said, and after it: every turn ends in it, whatever its words are."""
MOST_WRONG = 0.2
"""Word error rate of a sentence that is hard to hear: one or two of its words."""
NEAR = SAMPLE_RATE_HERTZ * 3 // 10
"""Samples by which the end of a turn may miss the end of the voice."""
UNSURE = 0.5
"""Certainty below which Whisper says itself that it guesses."""
LOOK_S = 0.25
"""What looking for words takes where the test turns the clock."""

NO_VOICE: dict[str, Callable[[], Samples]] = {
    "white noise": lambda: noise(20, -30),
    "loud white noise": lambda: noise(10, -15),
    "a quiet song": lambda: music(15, -35, 0),
    "a song": lambda: music(15, -25, 1),
    "a loud song": lambda: music(15, -12, 2),
    "a tone": lambda: tone(10, -20),
    "a loud tone": lambda: tone(10, -6),
    "silence on an offset": lambda: offset(noise(10, ROOM_DBFS), 0.2),
    "silence on a large offset": lambda: offset(noise(10, ROOM_DBFS), -0.5),
}
SPOILED: dict[str, Callable[[Samples], Samples]] = {
    "clipped": lambda sound: distorted(sound, 8),
    "clipped to the last": lambda sound: distorted(sound, 30),
    "offset": lambda sound: offset(sound, 0.2),
    "offset far up": lambda sound: offset(sound, 0.5),
    "offset far down": lambda sound: offset(sound, -0.5),
    "in noise": lambda sound: sound + noise(len(sound) / SAMPLE_RATE_HERTZ, -42),
    "over a song": lambda sound: sound + music(len(sound) / SAMPLE_RATE_HERTZ, -42),
    "over a tone": lambda sound: sound + tone(len(sound) / SAMPLE_RATE_HERTZ, -42),
}


@cache
def engines() -> Engines:
    """The real ears; all else is of no weight here."""
    return Engines(
        load_engine("voice_activity", Settings()),
        load_engine("stt", Settings()),
        FakeEmotionRecognizer(),
        FakeLanguageModel(),
        FakeTextToSpeech(),
        FakeEmbedder(),
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clips() -> list[Clip]:
    return await spoken(TEXTS)


@dataclass(frozen=True)
class Turn:
    """What was heard as one turn. Places are samples."""

    words: str
    start: int
    end: int
    decided: int
    """What had been heard when it was taken for over."""


@dataclass(frozen=True)
class Listened:
    """What came of a sound."""

    started: list[int]
    turns: list[Turn]


class Clock:
    """Time that goes by the sound that comes, from a client whose clock is fast or slow.

    Stands in for `time` and `asyncio` in the ears, and counts how often they hold sound up.
    """

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self.now = 0.0
        self.looking = 0
        """Looks for words that Whisper is busy with."""
        self.held_up = 0
        self.time = SimpleNamespace(monotonic=lambda: self.now)
        self.asyncio = SimpleNamespace(
            create_task=asyncio.create_task, sleep=asyncio.sleep, wait=self._hold_up
        )

    async def _hold_up(self, tasks: object, timeout: float) -> None:
        self.held_up += 1

    async def goes_on(self, sample_count: int) -> None:
        """Lets the time pass that so much sound takes, after all that goes on beside it."""
        for _ in range(4):
            await asyncio.sleep(0)
        while self.looking:
            await asyncio.sleep(0.001)
        self.now += sample_count / SAMPLE_RATE_HERTZ / self.speed
        for _ in range(4):
            await asyncio.sleep(0)


class TimedSpeechToText(FakeSpeechToText):
    """Whisper, which takes LOOK_S by a clock that is turned."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def open(self, language: str = "") -> Recognition:  # type: ignore[override]
        clock, whisper = self._clock, engines().stt.open(language)

        class Timed:
            async def feed(self, samples: Samples) -> str:
                return await whisper.feed(samples)

            async def settle(self) -> Heard:
                due = clock.now + LOOK_S
                clock.looking += 1
                try:
                    heard = await whisper.settle()
                finally:
                    clock.looking -= 1
                while clock.now < due:
                    await asyncio.sleep(0)
                return heard

        return Timed()


async def hear(*sounds: Samples, clock: Clock | None = None) -> Listened:
    """Hears sound message by message, as 16-bit PCM; without a clock as fast as it can."""
    ears = replace(engines(), stt=TimedSpeechToText(clock)) if clock else engines()
    hearing = Hearing(ears, "en", Patience(0.8), 30, lambda look: None)
    sound, ended = np.concatenate(sounds), list[tuple[Utterance, int]]()
    started = []
    for first in range(0, len(sound), MESSAGE):
        samples = to_samples(to_pcm(sound[first : first + MESSAGE]))
        async for event in hearing.feed(samples):
            if isinstance(event, SpeechStarted):
                started.append(event.at)
            elif isinstance(event, Utterance):
                ended.append((event, hearing.sample_count))
        await (clock.goes_on(len(samples)) if clock else asyncio.sleep(0))
    if clock:
        clock.now = np.inf
    turns = [Turn((await one.settled).text, one.start, one.end, at) for one, at in ended]
    assert await hearing.end() is None, "a turn is still open"
    return Listened(started, turns)


async def words_of(sound: Samples) -> Heard:
    """Has Whisper hear a sound."""
    recognition = engines().stt.open("en")
    await recognition.feed(sound)
    return await recognition.settle()


def scene(one: Clip) -> Samples:
    """Says a sentence in a quiet room, and waits."""
    sound = np.concatenate([silence(LEAD_S), one.samples[: one.last_voiced], silence(REST_S)])
    return sound + noise(len(sound) / SAMPLE_RATE_HERTZ, ROOM_DBFS)


def scenes(said: list[Clip]) -> tuple[Samples, list[int]]:
    """Says sentences one after another; gives the sound, and where the voice ends each time."""
    sounds = [scene(one) for one in said]
    rest = round(REST_S * SAMPLE_RATE_HERTZ)
    return np.concatenate(sounds), [int(end) - rest for end in np.cumsum([*map(len, sounds)])]


def wrong(said: str, heard: str) -> float:
    """Gives the word error rate."""
    return float(jiwer.wer(plain(said), plain(heard)))


# What is no voice.


@pytest.mark.parametrize("name", NO_VOICE)
async def test_what_is_no_voice_opens_no_turn_and_who_speaks_after_it_is_heard(
    name: str, clips: list[Clip]
) -> None:
    sound = NO_VOICE[name]()
    heard = await hear(sound, scene(clips[0]))
    assert len(heard.started) == 1
    assert heard.started[0] > len(sound)
    (turn,) = heard.turns
    assert wrong(TEXTS[0], turn.words) <= MOST_WRONG


async def test_whisper_is_sure_of_no_words_in_a_voice_without_any() -> None:
    heard = await words_of(singing(10, -22, seed=4))
    assert not heard.text or heard.certainty < UNSURE


async def test_a_loop_that_no_try_ends_is_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stt_faster_whisper, "TEMPERATURES", (0.0,))
    assert (await words_of(singing(10, -22, seed=10))).text == ""


# What spoils a voice.


@pytest.mark.parametrize("how", SPOILED)
async def test_a_voice_that_is_spoiled_is_understood_and_its_end_noticed(
    how: str, clips: list[Clip]
) -> None:
    sound, ends = scenes(clips)
    heard = await hear(SPOILED[how](sound))
    assert len(heard.turns) == len(TEXTS)
    for text, turn, end in zip(TEXTS, heard.turns, ends, strict=True):
        assert wrong(text, turn.words) <= MOST_WRONG
        assert turn.end == pytest.approx(end, abs=NEAR)
        assert turn.end < turn.decided < end + REST_S * SAMPLE_RATE_HERTZ


# A client's clock that is wrong.


@pytest.mark.parametrize("speed", [1.02, 0.98])
async def test_a_clock_that_is_wrong_changes_no_turn_and_holds_nothing_up(
    speed: float, clips: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound, _ = scenes([*clips, *clips])
    assert len(sound) > 30 * SAMPLE_RATE_HERTZ

    async def talk(clock: Clock) -> list[Turn]:
        monkeypatch.setattr(server.hearing, "time", clock.time)
        monkeypatch.setattr(server.hearing, "asyncio", clock.asyncio)
        heard = await hear(sound, clock=clock)
        assert clock.held_up == 0
        return heard.turns

    right, found = await talk(Clock(1.0)), await talk(Clock(speed))
    for text, one, other in zip(TEXTS * 2, right, found, strict=True):
        assert wrong(text, one.words) <= MOST_WRONG
        assert replace(other, decided=one.decided) == one
        assert other.decided == pytest.approx(one.decided, abs=2 * VOICE_WINDOW)


# Whole talks.


@pytest.fixture
async def talker() -> AsyncIterator[Talker]:
    """Somebody in a talk with a server that has the real ears; only words are answered."""
    ears = {"voice_activity": engines().voice_activity, "stt": engines().stt}
    settings = {"conversation": {"silence_s": 0}}
    async with served(overrides=settings, **ears) as house, house.talk() as talker:
        yield talker


async def ask(talker: Talker, *sounds: Samples) -> None:
    """Sends sound, and waits for one more answer."""
    done = len(talker.all("reply_done"))
    await talker.hear(np.concatenate(sounds))
    await talker.until(lambda: len(talker.all("reply_done")) > done)


async def test_noise_and_music_are_not_answered(talker: Talker, clips: list[Clip]) -> None:
    await ask(talker, noise(10, -30), music(10, -20), tone(5, -20), scene(clips[0]))
    await talker.hear(music(10, -20, seed=3))
    await talker.goodbye()
    (words,) = talker.transcripts
    assert wrong(TEXTS[0], words) <= MOST_WRONG
    assert [(one.turn, one.revision) for one in talker.all("reply_done")] == [(1, 0)]


async def test_a_voice_that_is_spoiled_is_answered_as_one_turn(
    talker: Talker, clips: list[Clip]
) -> None:
    hows = ("clipped", "offset", "offset far down")
    for how, one in zip(hows, clips, strict=True):
        await ask(talker, SPOILED[how](scene(one)))
    await talker.goodbye()
    assert [(one.turn, one.revision) for one in talker.all("reply_done")] == [
        (1, 0),
        (2, 0),
        (3, 0),
    ]
    for text, words in zip(TEXTS, talker.transcripts, strict=True):
        assert wrong(text, words) <= MOST_WRONG
