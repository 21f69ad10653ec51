"""From sound to settled utterances; it does not know what they mean or who answers."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from server.engines import SAMPLE_RATE_HERTZ, Engines, Recognition, Samples
from server.engines import Heard as Words
from server.turn_taking import MARGIN, Change, TurnTaking, patience_for

TAIL = SAMPLE_RATE_HERTZ // 5
"""Samples (0.2 s) of the silence after speech that the recogniser gets: words fade out."""
PARTIAL_EVERY = SAMPLE_RATE_HERTZ // 2
"""Samples (0.5 s) between two partial transcripts, where the engine has them."""


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


@dataclass(frozen=True)
class Foreseen:
    """The person paused, and these are the words if they do not go on."""

    words: Words
    start: int
    end: int
    """Sample after the last voiced one."""


@dataclass(frozen=True)
class WentOn:
    """They did go on: what was foreseen does not count."""


Heard = SpeechStarted | Partial | Foreseen | WentOn | Utterance


class Hearing:
    """One person's ears. Sound goes in piece by piece; what it means for the talk comes out.

    It keeps 0.3 s of sound while there is silence and at most `max_utterance_s` in speech,
    inside the recogniser. In a pause it hears ahead: the words so far are looked for while it
    waits whether the person goes on, and dropped if they do.
    """

    def __init__(
        self, engines: Engines, language: str, end_of_turn_s: float, max_utterance_s: float
    ) -> None:
        self._stt = engines.stt
        self._language = language
        self._track = engines.voice_activity.open()
        self._turns = TurnTaking(end_of_turn_s, max_utterance_s)
        self._recognition: Recognition | None = None
        self._kept: deque[tuple[int, Samples]] = deque()
        self._fed = 0
        self._partial_at = 0
        self._partial = ""
        self._normal_s = end_of_turn_s
        self._ahead: asyncio.Task[Words] | None = None
        self._foreseen = False
        """Whether the words of this pause were told."""
        self._arrivals: deque[tuple[int, float]] = deque(maxlen=512)
        self.sample_count = 0
        """Samples heard so far: the clock of the talk."""

    @property
    def speaking(self) -> bool:
        """Whether the person is in mid-utterance."""
        return self._turns.speaking

    async def feed(self, samples: Samples) -> AsyncIterator[Heard]:
        """Hears the next sound and yields what it changed, in order."""
        self._kept.append((self.sample_count, samples))
        self.sample_count += len(samples)
        self._arrivals.append((self.sample_count, time.monotonic()))
        for probability in await self._track.feed(samples):
            change = self._turns.feed(probability)
            if change is None:
                if (news := await self._hear_ahead()) is not None:
                    yield news
                continue
            if change.kind == "started":
                self._recognition = self._stt.open(self._language)
                self._fed = self._turns.start
                self._partial, self._partial_at = "", change.at
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

    async def _pass_on(self) -> AsyncIterator[Partial]:
        if self._recognition is None:
            self._forget_before(self.sample_count - MARGIN - SAMPLE_RATE_HERTZ // 2)
            return
        text = await self._feed_until(self._recognition, self._ready())
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

    async def _hear_ahead(self) -> Foreseen | WentOn | None:
        if not self._turns.pausing or self._recognition is None:
            return WentOn() if self._drop_ahead() else None
        if self._ahead is None:
            await self._feed_until(self._recognition, self._ready())
            self._ahead = _settling(self._recognition)
        elif self._ahead.done() and not self._foreseen:
            self._foreseen = True
            if not self._ahead.cancelled() and not self._ahead.exception():
                words = self._ahead.result()
                self._turns.wait_for(patience_for(words.text, self._normal_s))
                return Foreseen(words, self._turns.start, self._turns.last_voiced)
        return None

    def _drop_ahead(self) -> bool:
        """Drops the words that were looked for; returns whether there were any."""
        if self._ahead is None:
            return False
        self._ahead.cancel()
        self._ahead = None
        self._foreseen = False
        self._turns.wait_for(self._normal_s)
        return True

    def _ready(self) -> int:
        """How far the recogniser may hear: the silence after a word, but not all of it."""
        return min(self.sample_count, self._turns.last_voiced + TAIL)

    async def _end(self, change: Change) -> Utterance:
        recognition, self._recognition = self._recognition, None
        assert recognition is not None
        cut = change.kind == "cut"
        settled, self._ahead, self._foreseen = self._ahead, None, False
        if settled is None:
            ready = change.at if cut else min(change.at + TAIL, self.sample_count)
            await self._feed_until(recognition, ready)
            settled = _settling(recognition)
        start = self._turns.start
        return Utterance(settled, start, change.at, self._arrival(change.at), time.monotonic(), cut)

    def close(self) -> None:
        """Drops what is not settled yet."""
        self._drop_ahead()

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
