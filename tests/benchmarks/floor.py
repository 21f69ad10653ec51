"""What the same models take when they are called directly; no server, no waiting, no room.

The floor: an utterance, already cut, through Whisper with its full window, the language model
with a warm prefix until the first clause, and the voice until its first audible sample, one after
another. The plain design: 0.8 s of silence, then the whole of each, one after another.
"""

import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import jiwer
import numpy as np

from server.config import load
from server.engines import Generation, Samples
from server.engines.loading import load_engine
from server.prompt import Situation, messages
from server.reply import MOST_SENTENCES, clause_end, split_sentences
from tests.acceptance.house import plain
from tests.benchmarks.room import AUDIBLE
from tests.benchmarks.scenes import Clip

PLAIN_WAIT_S = 0.8
"""Silence after which a plain design takes a turn for over."""


@dataclass
class Direct:
    """The times of one utterance, in seconds, and what was heard."""

    clip: Clip
    words: str = ""
    hearing: float = 0.0
    clause: float = 0.0
    sound: float = 0.0
    rest: float = 0.0
    """Whole reply and whole sound, from the words on."""

    @property
    def floor(self) -> float:
        """From the utterance to the first audible sample."""
        return self.hearing + self.clause + self.sound

    @property
    def plain(self) -> float:
        """The same in the plain design, from the last voiced sample."""
        return PLAIN_WAIT_S + self.hearing + self.rest


@dataclass
class Models:
    """The three engines of a talk, warm."""

    stt: Any
    llm: Any
    tts: Any
    generation: Generation = field(default_factory=Generation)

    async def direct(self, clip: Clip) -> Direct:
        """Calls them one after another for one utterance."""
        times = Direct(clip)
        begin = time.perf_counter()
        times.words = await hear(self.stt, clip.cut)
        times.hearing = time.perf_counter() - begin
        begin = time.perf_counter()
        clause = await self._first_clause(times.words)
        times.clause = time.perf_counter() - begin
        begin = time.perf_counter()
        async with aclosing(self.tts.stream(clause)) as sounds:
            first = await anext(sounds)
        loud = np.flatnonzero(np.abs(first) * 32768 > AUDIBLE)
        times.sound = time.perf_counter() - begin + loud[0] / self.tts.sample_rate_hertz
        begin = time.perf_counter()
        async for _ in self.tts.stream(await self._whole_reply(times.words)):
            pass
        times.rest = time.perf_counter() - begin
        return times

    async def _first_clause(self, words: str) -> str:
        """Asks until the first clause, as TADBot cuts it, is there."""
        text = ""
        async with aclosing(self.llm.stream(messages(Situation(words)), self.generation)) as pieces:
            async for piece in pieces:
                text += piece
                if (end := clause_end(text, True)) is not None:
                    return text[:end]
        return text

    async def _whole_reply(self, words: str) -> str:
        """Asks for as much as TADBot would say: to the first question, three sentences at most."""
        text = ""
        async with aclosing(self.llm.stream(messages(Situation(words)), self.generation)) as pieces:
            async for piece in pieces:
                text += piece
                if "?" in piece or len(split_sentences(text)) > MOST_SENTENCES:
                    break
        return "".join(split_sentences(text)[:MOST_SENTENCES])


async def hear(stt: Any, utterance: Samples) -> str:
    """Turns one utterance into text."""
    recognition = stt.open()
    await recognition.feed(utterance)
    return str((await recognition.settle()).text)


async def measure(clips: Sequence[Clip]) -> list[Direct]:
    """Calls the models for each clip; one more at the beginning warms them up."""
    settings = load(overrides={"stt": {"short_window": False}})
    engines = [load_engine(seam, settings) for seam in ("stt", "llm", "tts")]
    for one in engines:
        await one.warm_up()
    trio = Models(*engines, generation=Generation(settings.llm.max_tokens, 0.0))
    await trio.direct(clips[0])
    times = [await trio.direct(one) for one in clips]
    for one in engines:
        await one.close()
    return times


async def heard(clips: Sequence[Clip], *, short_window: bool) -> list[str]:
    """What the recogniser makes of utterances, already cut."""
    stt = load_engine("stt", load(overrides={"stt": {"short_window": short_window}}))
    words = [await hear(stt, one.cut) for one in clips]
    await stt.close()
    return words


def word_errors(clips: Sequence[Clip], words: Sequence[str]) -> float:
    """The word error rate over all clips, in percent. words: what was heard of each."""
    return 100 * float(jiwer.wer([plain(one.text) for one in clips], [plain(w) for w in words]))
