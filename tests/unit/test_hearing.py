"""Sound becomes utterances, with engines that hear tones."""

import asyncio
import weakref
from dataclasses import replace

import numpy as np

from server.engines import SAMPLE_RATE_HERTZ, Engines, Heard, Samples
from server.engines.fake import (
    FakeEmbedder,
    FakeEmotionRecognizer,
    FakeLanguageModel,
    FakeRecognition,
    FakeSpeechToText,
    FakeTextToSpeech,
    FakeVoiceActivity,
    speak_tones,
)
from server.hearing import TAIL, Hearing, Partial, SpeechStarted, Utterance
from server.turn_taking import MARGIN

ENGINES = Engines(
    FakeVoiceActivity(),
    FakeSpeechToText(),
    FakeEmotionRecognizer(),
    FakeLanguageModel(),
    FakeTextToSpeech(),
    FakeEmbedder(),
)
CHUNK = 1024
SECOND = SAMPLE_RATE_HERTZ


class Counted:
    """A recognition that only counts what it is fed."""

    def __init__(self) -> None:
        self.count = 0

    async def feed(self, samples: Samples) -> str:
        self.count += len(samples)
        return ""

    async def settle(self) -> Heard:
        return Heard(str(self.count))


class CountingSpeechToText(FakeSpeechToText):
    """Gives the number of samples for words."""

    def open(self, language: str = "") -> Counted:  # type: ignore[override]
        return Counted()


def hearing(engines: Engines = ENGINES, patience_s: float = 0.8, longest_s: float = 30) -> Hearing:
    return Hearing(engines, "en", patience_s, longest_s)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SECOND), np.float32)


async def hear(
    ears: Hearing, *sounds: Samples, chunk: int = CHUNK
) -> list[SpeechStarted | Partial | Utterance]:
    sound = np.concatenate(sounds)
    events = []
    for first in range(0, len(sound), chunk):
        events += [event async for event in ears.feed(sound[first : first + chunk])]
    return events


async def words_of(events: list[SpeechStarted | Partial | Utterance]) -> list[str]:
    ended = [event for event in events if isinstance(event, Utterance)]
    return [(await one.settled).text for one in ended]


async def test_speech_becomes_an_utterance_with_its_words() -> None:
    ears = hearing()
    events = await hear(ears, silence(1), speak_tones("I slept badly."), silence(1))
    assert await words_of(events) == ["I slept badly."]
    assert isinstance(events[0], SpeechStarted)
    assert events[0].at == SECOND // 512 * 512
    assert not ears.speaking


async def test_an_utterance_knows_where_it_lies() -> None:
    tones = speak_tones("I slept badly.")
    (ended,) = [
        one
        for one in await hear(hearing(), silence(1), tones, silence(1))
        if isinstance(one, Utterance)
    ]
    assert ended.start == SECOND // 512 * 512 - MARGIN
    assert 0 <= ended.end - (SECOND + len(tones)) < 512
    assert not ended.cut
    assert ended.ended_at <= ended.decided_at


async def test_two_utterances_are_heard_apart() -> None:
    sounds = [speak_tones("One thing."), silence(1), speak_tones("Another."), silence(1)]
    assert await words_of(await hear(hearing(), *sounds)) == ["One thing.", "Another."]


async def test_a_pause_shorter_than_the_patience_joins_words() -> None:
    sounds = [speak_tones("I was so very "), silence(0.7), speak_tones("alone."), silence(1)]
    assert await words_of(await hear(hearing(), *sounds)) == ["I was so very alone."]


async def test_the_size_of_the_pieces_changes_nothing() -> None:
    sounds = [silence(0.3), speak_tones("First words."), silence(1), speak_tones("Last words.")]
    for chunk in (100, 512, 1600, 32_000):
        events = await hear(hearing(), *sounds, silence(1), chunk=chunk)
        assert await words_of(events) == ["First words.", "Last words."]


async def test_silence_alone_is_nothing() -> None:
    ears = hearing()
    assert await hear(ears, silence(30), chunk=16_000) == []
    assert await ears.end() is None
    assert ears.sample_count == 30 * SECOND


async def test_partial_words_come_while_somebody_speaks_and_grow() -> None:
    text = "It has been a long week, and I do not know where to begin."
    events = await hear(hearing(), speak_tones(text), silence(1))
    partials = [event.text for event in events if isinstance(event, Partial)]
    assert len(partials) >= 2
    assert all(text.startswith(partial) for partial in partials)
    assert [len(one) for one in partials] == sorted({len(one) for one in partials})


async def test_the_recogniser_gets_the_margin_the_speech_and_a_short_tail() -> None:
    engines = replace(ENGINES, stt=CountingSpeechToText())
    ears = hearing(engines)
    events = await hear(ears, silence(2), speak_tones("Eighteen letters.."), silence(2))
    (ended,) = [event for event in events if isinstance(event, Utterance)]
    fed = int((await ended.settled).text)
    assert fed == ended.end + TAIL - ended.start


async def test_ten_minutes_without_a_pause_are_cut_and_leave_nothing_out() -> None:
    engines = replace(ENGINES, stt=CountingSpeechToText())
    ears = hearing(engines)
    tones = speak_tones("and then " * 100)
    second, alive, ended = tones[:SECOND], [], []
    most = 0
    for _ in range(600):
        piece = second.copy()
        alive.append(weakref.ref(piece))
        ended += [one async for one in ears.feed(piece) if isinstance(one, Utterance)]
        del piece
        most = max(most, sum(one() is not None for one in alive))
    assert most <= 3
    assert len(ended) == 19
    assert all(one.cut for one in ended)
    assert [one.start for one in ended[1:]] == [one.end for one in ended[:-1]]
    for one in ended:
        assert int((await one.settled).text) == one.end - one.start
        assert one.end - one.start < 31 * SECOND


async def test_ten_minutes_of_silence_are_not_kept() -> None:
    ears = hearing()
    alive = []
    for _ in range(600):
        piece = silence(1)
        alive.append(weakref.ref(piece))
        assert [one async for one in ears.feed(piece)] == []
        del piece
    assert sum(one() is not None for one in alive) <= 2


async def test_sound_that_ends_in_mid_speech_gives_the_words_so_far() -> None:
    ears = hearing()
    await hear(ears, silence(0.5), speak_tones("I wanted to say"))
    assert ears.speaking
    utterance = await ears.end()
    assert utterance is not None
    # The last part of a window is not judged yet, so the end of the last word may be missing.
    assert (await utterance.settled).text[:12] == "I wanted to "
    assert not utterance.cut


async def test_sound_that_ends_after_a_turn_gives_nothing_twice() -> None:
    ears = hearing()
    assert len(await words_of(await hear(ears, speak_tones("All said."), silence(1)))) == 1
    assert await ears.end() is None


class Settling(FakeSpeechToText):
    """Counts how often words are looked for."""

    def __init__(self) -> None:
        self.settled = 0

    def open(self, language: str = "") -> FakeRecognition:
        outer = self

        class Recognition(FakeRecognition):
            async def settle(self) -> Heard:
                outer.settled += 1
                return await super().settle()

        return Recognition()


async def live(ears: Hearing, *sounds: Samples) -> list[SpeechStarted | Partial | Utterance]:
    """Hears, and lets what runs beside it run between two messages."""
    events = []
    sound = np.concatenate(sounds)
    for first in range(0, len(sound), CHUNK):
        events += [event async for event in ears.feed(sound[first : first + CHUNK])]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return events


async def test_words_are_looked_for_while_it_waits_for_the_end() -> None:
    stt = Settling()
    ears = hearing(replace(ENGINES, stt=stt))
    events = await live(ears, speak_tones("I slept badly."), silence(0.5))
    assert stt.settled == 1
    assert await words_of(events) == []
    assert await words_of(await live(ears, silence(0.5))) == ["I slept badly."]
    assert stt.settled == 1


async def test_who_goes_on_after_a_pause_is_heard_as_one() -> None:
    stt = Settling()
    ears = hearing(replace(ENGINES, stt=stt))
    events = await live(
        ears, speak_tones("I slept badly"), silence(0.5), speak_tones(" again."), silence(1)
    )
    assert await words_of(events) == ["I slept badly again."]
    assert stt.settled == 2


async def test_unfinished_words_are_waited_for() -> None:
    ears = hearing()
    events = await live(ears, speak_tones("I am sad because"), silence(1.5))
    assert await words_of(events) == []
    events = await live(ears, speak_tones(" of her."), silence(1))
    assert await words_of(events) == ["I am sad because of her."]
    events = await live(ears, speak_tones("I went to the"), silence(2.5))
    assert await words_of(events) == ["I went to the"]


async def test_words_that_nobody_wants_any_more_are_dropped() -> None:
    ears = hearing()
    await live(ears, speak_tones("I slept badly."), silence(0.4))
    ears.close()
    ears.close()
