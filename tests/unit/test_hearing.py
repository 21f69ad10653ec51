"""Sound becomes utterances, with engines that hear tones."""

import asyncio
import weakref
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

import server.hearing
from server.engines import SAMPLE_RATE_HERTZ, VOICE_WINDOW, Engines, Heard, Samples
from server.engines.fake import (
    FakeEmbedder,
    FakeEmotionRecognizer,
    FakeLanguageModel,
    FakeRecognition,
    FakeSpeechToText,
    FakeTextToSpeech,
    FakeVoiceActivity,
    FakeVoiceTrack,
    speak_tones,
)
from server.errors import EngineError
from server.hearing import (
    BUSY_WINDOWS,
    CLOSELY_EVERY,
    FADED_WINDOWS,
    FOLLOWING_EVERY,
    LATE_WINDOWS,
    PAUSE_WINDOWS,
    REMEMBERED,
    TAIL,
    Agreed,
    Foreseen,
    Hearing,
    Partial,
    SpeechStarted,
    Utterance,
    WentOn,
)
from server.patience import HABIT_S, LIKELY_S, OPEN_S, Patience, Pause
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
ALL = 1 << 30
Event = SpeechStarted | Partial | WentOn | Utterance


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


class Judging(FakeSpeechToText):
    """Takes its time, judges its sentences by their full stop, and counts its looks.

    rounds, feeding: how often the event loop goes round before the words are there, or the
    sound was taken.
    """

    def __init__(self, rounds: int = 0, feeding: int = 0) -> None:
        self.looks = 0
        self.rounds = rounds
        self.feeding = feeding

    def open(self, language: str = "") -> FakeRecognition:
        outer = self

        class Recognition(FakeRecognition):
            async def feed(self, samples: Samples) -> str:
                for _ in range(outer.feeding):
                    await asyncio.sleep(0)
                return await super().feed(samples)

            async def settle(self) -> Heard:
                outer.looks += 1
                heard = await super().settle()
                for _ in range(outer.rounds):
                    await asyncio.sleep(0)
                return replace(heard, ends=float(heard.text.endswith(".")))

        return Recognition()


class Batch(FakeSpeechToText):
    """Finds words only when it is asked for them, and is wrong about the newest one."""

    def __init__(self) -> None:
        self.looks = 0

    def open(self, language: str = "") -> FakeRecognition:
        outer = self

        class Recognition(FakeRecognition):
            async def feed(self, samples: Samples) -> str:
                await super().feed(samples)
                return ""

            async def settle(self) -> Heard:
                outer.looks += 1
                words = (await super().settle()).text.split()
                return Heard(" ".join([*words[:-1], f"{words[-1]}{outer.looks}"]))

        return Recognition()


class Slow(FakeVoiceActivity):
    """Takes its time over every piece: so many rounds of the event loop."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    def open(self) -> FakeVoiceTrack:
        rounds = self.rounds

        class Track(FakeVoiceTrack):
            async def feed(self, samples: Samples) -> list[float]:
                for _ in range(rounds):
                    await asyncio.sleep(0)
                return await super().feed(samples)

        return Track()


class Deaf(FakeSpeechToText):
    """Never finds words."""

    def open(self, language: str = "") -> FakeRecognition:
        class Recognition(FakeRecognition):
            async def settle(self) -> Heard:
                raise EngineError

        return Recognition()


class Ears:
    """A person's ears, and what they foresaw."""

    def __init__(
        self,
        stt: FakeSpeechToText | None = None,
        longest_s: float = 30,
        voice_activity: FakeVoiceActivity | None = None,
        ahead: int = FADED_WINDOWS,
        then: Callable[[Hearing], None] = lambda hearing: None,
        follows: bool = False,
    ) -> None:
        self.looks: list[Foreseen] = []
        self.patience = Patience(0.8)
        self.then = then
        engines = replace(
            ENGINES,
            stt=stt or FakeSpeechToText(),
            voice_activity=voice_activity or FakeVoiceActivity(),
        )
        self.hearing = Hearing(
            engines, "en", self.patience, longest_s, self._tell, lambda: ahead, lambda: follows
        )

    def _tell(self, look: Foreseen) -> None:
        self.looks.append(look)
        self.then(self.hearing)

    async def hear(self, *sounds: Samples, chunk: int = CHUNK) -> list[Event]:
        """Hears piece by piece, and lets what runs beside it run between two pieces."""
        sound = np.concatenate(sounds)
        events: list[Event] = []
        for first in range(0, len(sound), chunk):
            events += [event async for event in self.hearing.feed(sound[first : first + chunk])]
            for _ in range(4):
                await asyncio.sleep(0)
        return events


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SECOND), np.float32)


def windows(count: int) -> Samples:
    return np.zeros(count * VOICE_WINDOW, np.float32)


def fading(text: str) -> Samples:
    """Speaks tones of which the last 0.25 s are 20 dB quieter."""
    tones = speak_tones(text)
    tones[-SECOND // 4 :] *= 0.1
    return tones


def utterances(events: list[Event]) -> list[Utterance]:
    return [event for event in events if isinstance(event, Utterance)]


async def words_of(events: list[Event]) -> list[str]:
    return [(await one.settled).text for one in utterances(events)]


async def test_speech_becomes_an_utterance_with_its_words() -> None:
    ears = Ears()
    events = await ears.hear(silence(1), speak_tones("I slept badly."), silence(1))
    assert await words_of(events) == ["I slept badly."]
    assert isinstance(events[0], SpeechStarted)
    assert events[0].at == SECOND // 512 * 512
    assert not ears.hearing.speaking


LONG = "My old dog Rex died last winter and I was not there with him when it was over, alone."


async def test_where_there_is_room_words_that_do_not_change_any_more_come_while_one_speaks() -> (
    None
):
    stt = Batch()
    ears = Ears(stt, follows=True)
    said = speak_tones(LONG * 4)
    events = await ears.hear(said)
    partials = [one.text for one in events if isinstance(one, Partial)]
    assert 1 < len(partials) <= stt.looks <= len(said) // FOLLOWING_EVERY
    for one, more in pairwise(partials):
        assert more.startswith(f"{one} ")
    assert (LONG * 4).startswith(partials[-1])


async def test_where_there_is_none_the_words_wait_for_a_pause() -> None:
    stt = Batch()
    events = await Ears(stt).hear(speak_tones(LONG))
    assert stt.looks == 0
    assert not any(isinstance(one, Partial) for one in events)


@pytest.mark.parametrize(
    ("looks", "words"),
    [
        ([], ""),
        (["I am"], ""),
        (["I am", "I am so tired"], "I am"),
        (["I am so tried", "I am so tired of", "I am so tired of it"], "I am so tired of"),
        (["And so", "and so, my", "And so my fellow"], "and so, my"),
        (["I went home", "I went home", "He went home", "He went home too"], "I went home"),
        (["I went", "I went", "", "I went home", "I went home"], "I went home"),
        (["", ""], ""),
    ],
)
def test_words_are_agreed_on_once(looks: list[str], words: str) -> None:
    agreed = Agreed()
    for text in looks:
        agreed.add(text)
    assert agreed.words == words


async def test_an_utterance_knows_where_it_lies() -> None:
    tones = speak_tones("I slept badly.")
    (ended,) = utterances(await Ears().hear(silence(1), tones, silence(1)))
    assert ended.start == SECOND // 512 * 512 - MARGIN
    assert 0 <= ended.end - (SECOND + len(tones)) < 512
    assert not ended.cut
    assert ended.ended_at <= ended.decided_at


async def test_two_utterances_are_heard_apart() -> None:
    sounds = [speak_tones("One thing."), silence(1), speak_tones("Another."), silence(1)]
    assert await words_of(await Ears().hear(*sounds)) == ["One thing.", "Another."]


async def test_a_pause_shorter_than_the_patience_joins_words() -> None:
    sounds = [speak_tones("I was so very "), silence(0.7), speak_tones("alone."), silence(1)]
    assert await words_of(await Ears().hear(*sounds)) == ["I was so very alone."]


async def test_silence_alone_is_nothing() -> None:
    ears = Ears()
    assert await ears.hear(silence(30), chunk=16_000) == []
    assert await ears.hearing.end() is None
    assert ears.hearing.sample_count == 30 * SECOND


async def test_partial_words_come_while_somebody_speaks_and_grow() -> None:
    text = "It has been a long week, and I do not know where to begin."
    events = await Ears().hear(speak_tones(text), silence(1))
    partials = [event.text for event in events if isinstance(event, Partial)]
    assert len(partials) >= 2
    assert all(text.startswith(partial) for partial in partials)
    assert [len(one) for one in partials] == sorted({len(one) for one in partials})


async def test_the_recogniser_gets_the_margin_the_speech_and_a_short_tail() -> None:
    ears = Ears(CountingSpeechToText(), ahead=LATE_WINDOWS)
    events = await ears.hear(silence(2), speak_tones("Eighteen letters.."), silence(2))
    (ended,) = utterances(events)
    assert int((await ended.settled).text) == ended.end + TAIL - ended.start


async def test_ten_minutes_without_a_pause_are_cut_and_leave_nothing_out() -> None:
    ears = Ears(CountingSpeechToText()).hearing
    tones = speak_tones("and then " * 100)
    second, alive, ended = tones[:SECOND], [], []
    most = 0
    for _ in range(600):
        piece = second.copy()
        alive.append(weakref.ref(piece))
        ended += [one async for one in ears.feed(piece) if isinstance(one, Utterance)]
        del piece
        most = max(most, sum(one() is not None for one in alive))
    assert most <= REMEMBERED // SECOND + 2
    assert len(ended) == 19
    assert all(one.cut for one in ended)
    assert [one.start for one in ended[1:]] == [one.end for one in ended[:-1]]
    for one in ended:
        assert int((await one.settled).text) == one.end - one.start
        assert one.end - one.start < 31 * SECOND


async def test_ten_minutes_of_silence_are_not_kept() -> None:
    ears = Ears().hearing
    alive = []
    for _ in range(600):
        piece = silence(1)
        alive.append(weakref.ref(piece))
        assert [one async for one in ears.feed(piece)] == []
        del piece
    assert sum(one() is not None for one in alive) <= REMEMBERED // SECOND + 2


async def test_sound_that_ends_in_mid_speech_gives_the_words_so_far() -> None:
    ears = Ears()
    await ears.hear(silence(0.5), speak_tones("I wanted to say"))
    assert ears.hearing.speaking
    utterance = await ears.hearing.end()
    assert utterance is not None
    # The last part of a window is not judged yet, so the end of the last word may be missing.
    assert (await utterance.settled).text[:12] == "I wanted to "
    assert not utterance.cut


async def test_sound_that_ends_after_a_turn_gives_nothing_twice() -> None:
    ears = Ears()
    events = await ears.hear(speak_tones("All said."), silence(1))
    assert len(utterances(events)) == 1
    assert await ears.hearing.end() is None


# Ahead of the end.


async def test_words_are_looked_for_once_while_it_waits_for_the_end() -> None:
    stt = Judging()
    ears = Ears(stt)
    assert utterances(await ears.hear(fading(TOLD[0]), silence(0.5))) == []
    (look,) = ears.looks
    assert look.words.text == TOLD[0]
    assert look.paused
    events = await ears.hear(silence(0.5))
    assert await words_of(events) == [TOLD[0]]
    assert (look.start, look.end) == (utterances(events)[0].start, utterances(events)[0].end)
    assert stt.looks == 1


@pytest.mark.parametrize(
    ("ahead", "faded", "expected"),
    [
        (FADED_WINDOWS, True, FADED_WINDOWS),
        (FADED_WINDOWS, False, PAUSE_WINDOWS),
        (PAUSE_WINDOWS, True, PAUSE_WINDOWS),
        (BUSY_WINDOWS, True, BUSY_WINDOWS),
        (LATE_WINDOWS, True, LATE_WINDOWS),
    ],
)
async def test_a_look_begins_as_soon_as_the_voice_and_the_cores_let_it(
    ahead: int, faded: bool, expected: int
) -> None:
    stt = Judging()
    ears = Ears(stt, ahead=ahead)
    text = "This voice fills thirty windows, without a rest."
    assert len(speak_tones(text)) % VOICE_WINDOW == 0
    await ears.hear(fading(text) if faded else speak_tones(text))
    silent = 0
    while not stt.looks:
        await ears.hear(windows(1))
        silent += 1
    assert silent == expected


async def test_who_goes_on_after_a_pause_is_heard_as_one() -> None:
    stt = Judging()
    ears = Ears(stt)
    pause = [speak_tones("I slept badly"), silence(0.5)]
    events = await ears.hear(*pause, speak_tones(" again."), silence(2))
    assert await words_of(events) == ["I slept badly again."]
    assert [look.words.text for look in ears.looks] == ["I slept badly", "I slept badly again."]
    assert sum(isinstance(event, WentOn) for event in events) == 1


async def test_a_gap_between_words_is_no_pause() -> None:
    stt = Judging()
    sounds = [speak_tones("One word after"), windows(PAUSE_WINDOWS - 2), speak_tones(" another")]
    assert not any(isinstance(event, WentOn) for event in await Ears(stt).hear(*sounds))
    assert stt.looks == 0


async def test_unfinished_words_are_waited_for() -> None:
    ears = Ears()
    events = await ears.hear(speak_tones("I am sad because"), silence(OPEN_S - 0.1))
    assert utterances(events) == []
    events = await ears.hear(speak_tones(" of her."), silence(1))
    assert await words_of(events) == ["I am sad because of her."]
    events = await ears.hear(speak_tones("I went to the"), silence(OPEN_S + 0.1))
    assert await words_of(events) == ["I went to the"]


async def test_a_pause_that_was_bridged_makes_patient() -> None:
    ears = Ears()
    likely = Pause(Heard("I went home.", ends=0.5), 12)
    assert ears.patience.seconds(likely) == LIKELY_S
    await ears.hear(speak_tones("I am sad because"), silence(2), speak_tones(" of her."))
    assert ears.patience.seconds(likely) == pytest.approx(2 + HABIT_S, abs=0.1)


async def test_words_that_nobody_wants_any_more_are_dropped() -> None:
    stt = Judging(rounds=1000)
    ears = Ears(stt)
    await ears.hear(fading(TOLD[0]), windows(6))
    assert stt.looks == 1
    ears.hearing.close()
    ears.hearing.close()
    for _ in range(1001):
        await asyncio.sleep(0)
    assert ears.looks == []


async def test_a_recogniser_that_fails_ends_the_turn_and_says_so() -> None:
    ears = Ears(Deaf())
    (ended,) = utterances(await ears.hear(fading("I slept badly."), silence(1)))
    with pytest.raises(EngineError):
        await ended.settled
    assert ears.looks == []


async def test_a_failure_in_mid_speech_does_not_hurry_the_end() -> None:
    ears = Ears(Deaf(), ahead=LATE_WINDOWS * 2)
    ears.hearing.closely = True
    assert utterances(await ears.hear(speak_tones("I" * 50), silence(1.2))) == []


async def test_nobody_is_answered_unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    stt = Judging()
    ears = Ears(stt)
    clock = SimpleNamespace(monotonic=lambda: ears.hearing.sample_count / SECOND)
    monkeypatch.setattr(server.hearing, "time", clock)
    await ears.hear(fading(TOLD[0]), silence(0.4), speak_tones(" And then"))
    stt.rounds = 1000
    assert utterances(await ears.hear(silence(OPEN_S - 0.1))) == []
    assert len(utterances(await ears.hear(silence(0.2)))) == 1
    assert len(ears.looks) == 1


async def test_words_that_were_looked_for_in_mid_speech_come_too_late_after_it() -> None:
    stt = Judging(rounds=100)
    ears = Ears(stt)
    ears.hearing.closely = True
    await ears.hear(speak_tones("I" * 36))
    assert stt.looks == 1
    assert await ears.hearing.end() is not None
    for _ in range(101):
        await asyncio.sleep(0)
    assert ears.looks == []


async def test_a_turn_that_is_cut_in_a_pause_has_all_its_sound() -> None:
    ears = Ears(CountingSpeechToText(), longest_s=2)
    (ended,) = utterances(await ears.hear(speak_tones("I" * 85), silence(0.4)))
    assert ended.cut
    assert int((await ended.settled).text) == ended.end - ended.start


@pytest.mark.parametrize("closely", [False, True])
async def test_words_are_looked_for_in_mid_speech_where_it_is_listened_closely(
    closely: bool,
) -> None:
    text = "I do not want to hear that now, because it makes me sad and tired. "
    ears = Ears()
    ears.hearing.closely = closely
    await ears.hear(speak_tones(text * 2), chunk=VOICE_WINDOW)
    count = len(speak_tones(text * 2)) // (CLOSELY_EVERY + VOICE_WINDOW)
    assert len(ears.looks) == (count if closely else 0)
    for place, look in enumerate(ears.looks, 1):
        assert (text * 2).startswith(look.words.text)
        assert not look.paused
        assert look.voiced_s == pytest.approx(place * CLOSELY_EVERY / SECOND, abs=0.1)


# Sound that comes late, and all at once.

STORY = np.concatenate(
    [
        silence(0.3),
        fading("I slept badly last night, and I woke early."),
        silence(1),
        speak_tones("I am sad because"),
        silence(1.5),
        fading(" of her, and of what she said to me."),
        silence(1),
        fading("And now I am so very tired that I cannot tell you how."),
        silence(5),
    ]
)
TOLD = [
    "I slept badly last night, and I woke early.",
    "I am sad because of her, and of what she said to me.",
    "And now I am so very tired that I cannot tell you how.",
]


@pytest.mark.parametrize("closely", [False, True])
@pytest.mark.parametrize("rounds", [0, 30])
@pytest.mark.parametrize("chunk", [100, 512, 1600, 32_000, ALL])
async def test_the_size_of_the_pieces_changes_nothing(
    chunk: int, rounds: int, closely: bool
) -> None:
    ears = Ears(Judging(rounds))
    ears.hearing.closely = closely
    events = await ears.hear(STORY, chunk=chunk)
    assert await words_of(events) == TOLD
    in_pauses = [look.words.text for look in ears.looks if look.paused]
    assert in_pauses == [TOLD[0], "I am sad because", *TOLD[1:]]
    assert sum(isinstance(event, WentOn) for event in events) == 1


@pytest.mark.parametrize("seconds", [0.5, 1.2, 1.4, 2.4, 3.4])
async def test_what_waited_behind_a_stall_is_heard_as_if_it_had_not(seconds: float) -> None:
    at = round(seconds * SECOND)
    ears, steady = Ears(Judging(30)), Ears(Judging())
    events = await ears.hear(STORY[:at])
    events += await ears.hear(STORY[at:], chunk=ALL)
    expected = utterances(await steady.hear(STORY))
    assert await words_of(events) == TOLD
    assert [(one.start, one.end) for one in utterances(events)] == [
        (one.start, one.end) for one in expected
    ]


@pytest.mark.parametrize("rounds", range(3, 18))
async def test_words_that_were_just_found_are_judged_before_what_came_after(rounds: int) -> None:
    ears = Ears(Judging(12), voice_activity=Slow(rounds))
    at = round(0.3 * SECOND) + len(fading(TOLD[0])) + 5 * VOICE_WINDOW
    events = await ears.hear(STORY[:at], chunk=at)
    events += await ears.hear(STORY[at:], chunk=ALL)
    assert await words_of(events) == TOLD


# Speech that was none of the person's.


async def test_speech_that_was_dropped_is_forgotten() -> None:
    stt = Judging(rounds=100)
    ears = Ears(stt)
    await ears.hear(fading(TOLD[0]), windows(6))
    assert stt.looks == 1
    ears.hearing.drop()
    assert not ears.hearing.speaking
    assert await ears.hear(silence(2)) == []
    assert await ears.hearing.end() is None
    assert ears.looks == []


async def test_who_speaks_on_after_a_drop_is_heard_from_there() -> None:
    ears = Ears()
    await ears.hear(speak_tones("a voice of others"))
    ears.hearing.drop()
    events = await ears.hear(speak_tones("and then my own words."), silence(2))
    assert isinstance(events[0], SpeechStarted)
    (words,) = await words_of(events)
    assert words.endswith("my own words.")
    assert "others" not in words


async def test_speech_may_be_dropped_as_it_begins() -> None:
    ears = Ears().hearing
    sound = np.concatenate([speak_tones("You said so."), silence(2)])
    events = []
    async for event in ears.feed(sound):
        events.append(event)
        if len(events) == 1:
            ears.drop()
    assert [type(event) for event in events] == [SpeechStarted]


@pytest.mark.parametrize("chunk", [CHUNK, ALL])
async def test_speech_may_be_dropped_for_the_words_in_it(chunk: int) -> None:
    ears = Ears(Judging(5), then=Hearing.drop)
    sounds = [fading(TOLD[0]), silence(2), speak_tones("my own words")]
    events = await ears.hear(*sounds, chunk=chunk)
    assert [look.words.text for look in ears.looks] == [TOLD[0]]
    assert {type(event) for event in events} <= {SpeechStarted, Partial}
    assert sum(isinstance(event, SpeechStarted) for event in events) == 2


@pytest.mark.parametrize("rounds", range(4, 60, 4))
async def test_speech_may_be_dropped_while_it_is_heard(rounds: int) -> None:
    ears = Ears(Judging(5, feeding=20))
    hears = asyncio.create_task(ears.hear(fading(TOLD[0]), windows(6), chunk=ALL))
    for _ in range(rounds):
        await asyncio.sleep(0)
    ears.hearing.drop()
    told = len(ears.looks)
    await hears
    await ears.hear(silence(1))
    assert len(ears.looks) == told
    assert not ears.hearing.speaking


# The newest sound.


async def test_the_newest_sound_is_at_hand() -> None:
    ears = Ears()
    assert len(ears.hearing.newest(1)) == 0
    sound = np.random.default_rng(0).normal(0, 0.001, 6 * SECOND).astype(np.float32)
    await ears.hear(sound[: SECOND // 2], chunk=VOICE_WINDOW)
    judged = SECOND // 2 // VOICE_WINDOW * VOICE_WINDOW
    np.testing.assert_array_equal(ears.hearing.newest(1), sound[:judged])
    await ears.hear(sound[SECOND // 2 :], chunk=777)
    judged = 6 * SECOND // VOICE_WINDOW * VOICE_WINDOW
    np.testing.assert_array_equal(ears.hearing.newest(0.4), sound[judged - 6400 : judged])
    np.testing.assert_array_equal(ears.hearing.newest(60), sound[judged - REMEMBERED : judged])


async def test_the_newest_sound_is_what_made_speech_begin_whatever_came_with_it() -> None:
    ears = Ears().hearing
    tones = speak_tones("I slept badly, and I woke early.")
    async for event in ears.feed(np.concatenate([windows(40), tones, silence(9)])):
        if isinstance(event, SpeechStarted):
            np.testing.assert_array_equal(ears.newest(0.192), tones[:3072])
