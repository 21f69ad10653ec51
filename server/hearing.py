"""From sound to settled utterances; it does not know what they mean or who answers."""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from server.engines import SAMPLE_RATE_HERTZ, VOICE_WINDOW, Engines, Recognition, Samples
from server.engines import Heard as Words
from server.patience import BROKEN_OFF_DB, Patience, Pause, fade_db
from server.turn_taking import AGAIN_WINDOWS, MARGIN, Change, TurnTaking

TAIL = SAMPLE_RATE_HERTZ // 5
"""Samples (0.2 s) of the silence after speech that the recogniser gets: words fade out."""
LEAD = MARGIN
"""Samples of the silence before it that the recogniser gets where speech goes on after a pause.
What lies between is left out: in 25 sentences a pause of 1.5 s brought Whisper, in a short window,
from 1.4 to 8.6 % of wrong words, and one of 0.5 s to 4.8 %, as many as the full window makes of the
whole pause."""
PARTIAL_EVERY = SAMPLE_RATE_HERTZ // 2
"""Samples (0.5 s) between two partial transcripts, where the engine has them."""
REMEMBERED = 4 * SAMPLE_RATE_HERTZ
"""Samples of the newest sound that are kept, to judge voices by; never written anywhere."""
FADED_WINDOWS, PAUSE_WINDOWS = 4, 7
"""Windows of silence from which the words may be looked at: 128 ms after a voice that faded out,
224 ms after one that broke off. Pauses between words are shorter."""
LATE_WINDOWS = 24
"""The same without looking ahead: 0.77 s, when even a sure end has been waited for."""
BUSY_WINDOWS = 13
"""The same while the cores are busy: 0.42 s, so that few looks are in vain."""
MOST_AHEAD_S = 0.1
"""Sound that may come ahead of time: messages hold up to this much."""
CLOSELY_EVERY = SAMPLE_RATE_HERTZ * 6 // 10
"""Samples of speech over a reply between two looks at its words."""
FOLLOWING_EVERY = SAMPLE_RATE_HERTZ * 12 // 10
"""The same of speech that has the word, where the machine has room for it."""


@dataclass(frozen=True)
class SpeechStarted:
    """The person began to speak."""

    at: int
    """First voiced sample."""


@dataclass(frozen=True)
class Partial:
    """Words so far, which may still change."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Utterance:
    """Speech that is over, ready to be turned into text."""

    settled: "asyncio.Task[Words]"
    """Its words, or EngineError; begun before the turn was over where that was foreseen."""
    start: int
    end: int
    """Sample after the last voiced one."""
    ended_at: float
    """`time.monotonic()` when the last voiced sample had come."""
    decided_at: float
    """`time.monotonic()` when it was taken for over."""
    cut: bool
    """Whether the person was still speaking: it grew too long."""
    voiced_s: float
    """How long the person has spoken, pauses left out."""


@dataclass(frozen=True)
class Foreseen:
    """The words so far: all of them if the person paused and does not go on."""

    words: Words
    start: int
    end: int
    """Sample after the last voiced one."""
    paused: bool
    """Whether the person paused; else they were looked at in mid-speech."""
    voiced_s: float
    """How long the person has spoken, pauses left out."""


@dataclass(frozen=True)
class WentOn:
    """They did go on: what was foreseen does not count."""


Heard = SpeechStarted | Partial | WentOn | Utterance


class Agreed:
    """The words that do not change any more: those that two looks in a row agree on.

    They only grow. (LocalAgreement-2 of Liu, Spanakis and Niehues, Interspeech 2020.)
    """

    def __init__(self) -> None:
        self._agreed: list[str] = []
        self._newest: list[str] = []

    @property
    def words(self) -> str:
        """All of them so far."""
        return " ".join(self._agreed)

    def add(self, text: str) -> None:
        """Takes what the next look found."""
        before, self._newest = self._newest, text.split()
        both = zip(before, self._newest, strict=False)
        same = len([*takewhile(lambda pair: _letters(pair[0]) == _letters(pair[1]), both)])
        known = [_letters(one) for one in self._agreed]
        if [_letters(one) for one in self._newest[: len(known)]] == known:
            self._agreed += self._newest[len(known) : same]


def _letters(word: str) -> str:
    return "".join(one for one in word.lower() if one.isalnum())


class Hearing:
    """One person's ears. Sound goes in piece by piece; what it means for the talk comes out.

    It keeps REMEMBERED sound and at most `max_utterance_s` in speech, inside the recogniser. In a
    pause it hears ahead: the words so far are looked for while it waits whether the person goes
    on, and dropped if they do.

    foreseen: called at once when words were looked for, between two pieces of sound. ahead:
    gives the windows of silence from which to look: one of the numbers above. follows: whether
    there is room to look while they speak as well, so that there are partial words.
    """

    def __init__(
        self,
        engines: Engines,
        language: str,
        patience: Patience,
        max_utterance_s: float,
        foreseen: Callable[[Foreseen], None],
        ahead: Callable[[], int] = lambda: FADED_WINDOWS,
        follows: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stt = engines.stt
        self._language = language
        self._track = engines.voice_activity.open()
        self._patience = patience
        self._turns = TurnTaking(patience.first_s(), max_utterance_s)
        self._foreseen = foreseen
        self._look_from, self._follows = ahead, follows
        self._recognition: Recognition | None = None
        self._kept: deque[tuple[int, Samples]] = deque()
        self._newest: deque[tuple[int, Samples]] = deque()
        self._fed = 0
        self._partial_at = 0
        self._partial = ""
        self._agreed = Agreed()
        self._look: asyncio.Task[Words] | None = None
        self._looked_at = 0
        """Sample at which the look that runs or was made last began."""
        self._look_began = 0.0
        self._in_pause = False
        """Whether it was made in the pause that goes on."""
        self.closely = False
        """Whether words are looked for in mid-speech as well: it is spoken over a reply."""
        self._arrivals: deque[tuple[int, float]] = deque(maxlen=512)
        self.sample_count = 0
        """Samples heard so far: the clock of the talk."""

    @property
    def speaking(self) -> bool:
        """Whether the person is in mid-utterance."""
        return self._turns.speaking

    @property
    def pausing(self) -> bool:
        """Whether they pause, and it is not known yet whether they are done."""
        return self._turns.speaking and self._in_pause

    async def feed(self, samples: Samples) -> AsyncIterator[Heard]:
        """Hears the next sound and yields what it changed, in order."""
        self._keep(samples)
        for probability in await self._track.feed(samples):
            change = self._turns.feed(probability)
            if change is None:
                if await self._hear_ahead():
                    yield WentOn()
                continue
            if change.kind == "started":
                self._recognition = self._stt.open(self._language)
                self._fed = self._turns.start
                self._partial, self._partial_at = "", change.at
                self._agreed = Agreed()
                self._looked_at = change.at
                yield SpeechStarted(change.at)
            else:
                yield await self._end(change)
        async for partial in self._pass_on():
            yield partial

    async def end(self) -> Utterance | None:
        """The sound has ended: gives the utterance that was open, if there was one."""
        if not self._turns.speaking:
            return None
        return await self._end(Change("over", self._turns.last_voiced))

    def drop(self) -> None:
        """Forgets the speech that is open: it was none of the person's."""
        self._turns.drop()
        self._recognition = None
        self._drop_look()

    def newest(self, seconds: float) -> Samples:
        """Gives the newest sound that was judged, at most REMEMBERED."""
        end = self._turns.position
        return self._between(end - min(round(seconds * SAMPLE_RATE_HERTZ), REMEMBERED), end)

    def _between(self, begin: int, end: int) -> Samples:
        parts = [
            samples[max(begin - first, 0) : max(end - first, 0)] for first, samples in self._newest
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def close(self) -> None:
        """Drops what is not settled yet."""
        self._drop_look()

    def _keep(self, samples: Samples) -> None:
        self._kept.append((self.sample_count, samples))
        self._newest.append((self.sample_count, samples))
        while self._newest[0][0] + len(self._newest[0][1]) <= self._turns.position - REMEMBERED:
            self._newest.popleft()
        self.sample_count += len(samples)
        self._arrivals.append((self.sample_count, time.monotonic()))

    async def _pass_on(self) -> AsyncIterator[Partial]:
        if self._recognition is None:
            self._forget_before(self.sample_count - MARGIN - SAMPLE_RATE_HERTZ // 2)
            return
        text = await self._feed_until(self._recognition, self._ready()) or self._agreed.words
        due = self.sample_count - self._partial_at >= PARTIAL_EVERY
        if due and text and text != self._partial:
            self._partial, self._partial_at = text, self.sample_count
            yield Partial(text, self._turns.start, self.sample_count)

    async def _feed_until(self, recognition: Recognition, end: int) -> str:
        text = ""
        for first, samples in self._kept:
            begin, stop = max(self._fed - first, 0), min(end - first, len(samples))
            if begin < stop:
                text = await recognition.feed(samples[begin:stop])
                self._fed = first + stop
        self._forget_before(self._fed)
        return text

    def _forget_before(self, sample: int) -> None:
        while self._kept and self._kept[0][0] + len(self._kept[0][1]) <= sample:
            self._kept.popleft()

    # Looking at words before it is sure that they are all.

    async def _hear_ahead(self) -> bool:
        """Looks at the words if it is time to; returns whether a pause was bridged."""
        if self._recognition is None:
            return False
        silent = self._turns.silent_windows
        if self._in_pause and not silent:
            self._patience.went_on(self._turns.bridged_s, taken_for_over=False)
            self._drop_look()
            resumed = self._turns.position - AGAIN_WINDOWS * VOICE_WINDOW
            self._fed = max(self._fed, resumed - LEAD)
            return True
        if silent:
            await self._keep_pace()
            if self._recognition is None:
                return False
        running = self._look is not None and not self._look.done()
        if not running and not self._in_pause:
            if silent and self._is_pause(silent):
                await self._begin_look(self._recognition, paused=True)
            elif self._turns.position - self._looked_at >= self._look_every(silent):
                await self._begin_look(self._recognition, paused=False)
        return False

    def _look_every(self, silent: int) -> float:
        """Gives the samples between two looks in mid-speech."""
        if self.closely:
            return CLOSELY_EVERY
        return FOLLOWING_EVERY if not silent and self._follows() else math.inf

    async def _keep_pace(self) -> None:
        """Waits for the look where sound comes faster than time passes, as after a stall.

        Else what was said before the stall would be judged without its words.
        """
        if self._look is None:
            return
        heard_s = (self._turns.position - self._looked_at) / SAMPLE_RATE_HERTZ
        ahead_s = heard_s - (time.monotonic() - self._look_began)
        if ahead_s > MOST_AHEAD_S and not self._look.done():
            await asyncio.wait([self._look], timeout=ahead_s)
        if self._look is not None and self._look.done():
            # What it found is told in the next round of the loop.
            await asyncio.sleep(0)

    def _is_pause(self, silent: int) -> bool:
        least = self._look_from()
        if least == FADED_WINDOWS and silent < PAUSE_WINDOWS:
            return silent >= FADED_WINDOWS and self._fade_db() >= BROKEN_OFF_DB
        return silent >= max(least, PAUSE_WINDOWS)

    async def _begin_look(self, recognition: Recognition, *, paused: bool) -> None:
        self._in_pause = paused
        self._looked_at = self._turns.position
        self._look_began = time.monotonic()
        await self._feed_until(recognition, self._ready())
        if recognition is not self._recognition:
            return
        self._look = _settling(recognition)
        self._look.add_done_callback(lambda look: self._tell(look, paused))

    def _tell(self, look: "asyncio.Task[Words]", paused: bool) -> None:
        """Judges the pause by the words that were found, and tells of them."""
        if look is not self._look or look.cancelled():
            return
        if look.exception():
            if paused:
                self._turns.wait_for(self._patience.seconds(Pause(Words(""))))
            return
        words = look.result()
        self._agreed.add(words.text)
        if paused:
            pause = Pause(words, self._fade_db())
            self._turns.wait_for(self._patience.seconds(pause))
        else:
            self._look = None
        turns = self._turns
        self._foreseen(Foreseen(words, turns.start, turns.last_voiced, paused, turns.voiced_s))

    def _fade_db(self) -> float:
        """Measures how the voice faded before this pause."""
        turns = self._turns
        end = min(turns.position, turns.last_voiced + TAIL)
        return fade_db(self._between(max(turns.start, turns.position - REMEMBERED), end))

    def _drop_look(self) -> None:
        """Drops the words that were looked for: there are more."""
        if self._look is not None:
            self._look.cancel()
        self._look = None
        self._in_pause = False
        self._turns.wait_for(self._patience.first_s())

    def _ready(self) -> int:
        """How far the recogniser may hear: the silence after a word, but not all of it."""
        return min(self.sample_count, self._turns.last_voiced + TAIL)

    async def _end(self, change: Change) -> Utterance:
        recognition, self._recognition = self._recognition, None
        assert recognition is not None
        cut = change.kind == "cut"
        settled = self._look if self._in_pause and not cut else None
        self._look, self._in_pause = None, False
        if settled is None:
            ready = change.at if cut else min(change.at + TAIL, self.sample_count)
            await self._feed_until(recognition, ready)
            settled = _settling(recognition)
        start = self._turns.start
        voiced_s = self._turns.voiced_s
        ended_at, now = self._arrival(change.at), time.monotonic()
        return Utterance(settled, start, change.at, ended_at, now, cut, voiced_s)

    def _arrival(self, sample: int) -> float:
        for count, when in self._arrivals:
            if count >= sample:
                return when
        return time.monotonic()


def _settling(recognition: Recognition) -> "asyncio.Task[Words]":
    async def settle() -> Words:
        return await recognition.settle()

    task = asyncio.create_task(settle())
    # Where nobody asks for the words any more, nobody is to hear of a failure either.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
