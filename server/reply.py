"""One cancellable reply: words by script or by the model, screened, spoken clause by clause.

It does not know why it speaks or who listens. Cancel the task that runs it to stop it; what
was spoken until then stays readable in it.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from tadbot.v1 import companion_pb2, sound_pb2

from server.engines import Engines, Generation, Message, Samples, Usage
from server.errors import EngineError
from server.safety import guard
from server.sound import to_pcm

CHUNK_S = 0.2
"""Length of a message of reply sound: one gRPC message costs some 0.3 ms however small."""
PIECE_TIMEOUT_S = 30.0
"""Longest wait for the model's next piece: a cold prompt on a Pi takes some 10 s."""
FIRST_CLAUSE_CHARACTERS = 24
"""From here on a comma ends the first clause, so that the voice can begin."""
LONG_CLAUSE_CHARACTERS = 48
"""From here on the first clause ends before a word that begins a phrase, comma or not."""
MOST_SENTENCES = 3
"""Sentences of the model that are spoken: small models ramble past what they are told."""
FALLBACK = "I lost my words for a moment, but I am still listening."
"""Said where the language model fails."""
_SENTENCE = re.compile(r"[.!?…]+[\"')\]]*(?=\s|$)")
_COMMA = re.compile(r"[,;:]\s")
_PHRASE = re.compile(
    r"\s(?=(?:and|but|because|that|so|when|which|who|as|if|with|about|for|to|in)\s)"
)
_UNSPOKEN = re.compile(r"[*_#`<>|~^\\{}\[\]]|[^\x00-\u024f\u2010-\u2026\u20ac]")


class SendEvent(Protocol):
    """Sends one event of a ConverseResponse under the turn that the reply belongs to."""

    def __call__(
        self,
        *,
        reply_text: companion_pb2.ReplyText | None = None,
        reply_audio: sound_pb2.AudioChunk | None = None,
        notice: companion_pb2.Notice | None = None,
    ) -> Awaitable[None]: ...


@dataclass(frozen=True)
class Spoken:
    """A clause and where its sound lies in the reply, in samples."""

    text: str
    begin: int
    end: int


@dataclass
class Timing:
    """When the stages of a reply were reached, by `time.monotonic()`; None: not yet."""

    prompt_at: float | None = None
    first_piece_at: float | None = None
    first_clause_at: float | None = None
    first_text_at: float | None = None
    """When the first clause went to the voice."""
    first_sound_at: float | None = None


class Reply:
    """What is being said, and how far it has come."""

    def __init__(self, engines: Engines, send: SendEvent) -> None:
        self._engines = engines
        self._send = send
        self._voice_failed = self._voice_failure_told = False
        self.clauses: list[Spoken] = []
        self.sample_count = 0
        """Samples of sound sent so far."""
        self.failed = False
        """Whether an engine failed in it."""
        self.caught: list[str] = []
        """What the guard caught, a code for each clause of the model that was replaced."""
        self.timing = Timing()
        self.usage = Usage()
        """What the model's prompt cost."""

    @property
    def sample_rate_hertz(self) -> int:
        """Rate of its sound."""
        return self._engines.tts.sample_rate_hertz

    @property
    def replaced(self) -> int:
        """Clauses of the model that were not fit to be spoken."""
        return len(self.caught)

    @property
    def text(self) -> str:
        """All that was to be said so far."""
        return "".join(clause.text for clause in self.clauses).strip()

    def heard(self, sample_count: int) -> str:
        """Gives the words that lie before a sample; a clause that was cut gives whole words.

        Without any sound (the voice failed) the words were read, so all count.
        """
        if not self.sample_count:
            return self.text
        words = ""
        for clause in self.clauses:
            if clause.end <= sample_count:
                words += clause.text
            elif clause.begin < sample_count:
                share = (sample_count - clause.begin) / (clause.end - clause.begin)
                cut = clause.text[: int(len(clause.text) * share)]
                words += cut.rsplit(" ", 1)[0] if " " in cut else ""
        return words.strip()

    async def say(self, text: str, protected: bool = False) -> None:
        """Speaks a text as it stands, sentence by sentence."""
        for clause in split_sentences(text):
            await self._speak(clause, protected)

    async def answer(self, chat: Sequence[Message], generation: Generation) -> None:
        """Speaks what the model says to a chat; at most one question, whole sentences."""
        self.timing.prompt_at = time.monotonic()
        sentences = 0
        before = ""
        try:
            async with aclosing(self._clauses(chat, generation)) as clauses:
                async for clause in clauses:
                    if self.timing.first_clause_at is None:
                        self.timing.first_clause_at = time.monotonic()
                    fit = guard(clause, before)
                    if fit.caught:
                        self.caught.append(fit.caught)
                    await self._speak(fit.text, protected=False)
                    ended = bool(_SENTENCE.search(clause))
                    sentences += ended
                    before = "" if ended else before + clause
                    if fit.caught or clause.rstrip().endswith("?") or sentences == MOST_SENTENCES:
                        return
        except (EngineError, TimeoutError):
            self.failed = True
            await self._notice(
                "LLM_FAILED", "The language model failed; a fixed sentence was said."
            )
        if not self.clauses:
            await self._speak(FALLBACK, protected=False)

    async def _clauses(
        self, chat: Sequence[Message], generation: Generation
    ) -> AsyncGenerator[str, None]:
        rest = ""
        first = True
        async with aclosing(self._engines.llm.stream(chat, generation, self.usage)) as pieces:
            while True:
                try:
                    async with asyncio.timeout(PIECE_TIMEOUT_S):
                        piece = await anext(pieces)
                except StopAsyncIteration:
                    break
                if self.timing.first_piece_at is None:
                    self.timing.first_piece_at = time.monotonic()
                rest += _UNSPOKEN.sub("", piece).replace("\n", " ")
                while (end := clause_end(rest, first)) is not None:
                    clause, rest = rest[:end], rest[end:]
                    if clause.strip():
                        first = False
                        yield clause
        # A fragment without an end is spoken only where nothing else was.
        if rest.strip() and (first or _SENTENCE.search(rest)):
            yield rest

    async def _speak(self, clause: str, protected: bool) -> None:
        clause = f" {clause.strip()}" if self.clauses else clause.strip()
        begin = self.sample_count
        if self.timing.first_text_at is None:
            self.timing.first_text_at = time.monotonic()
        event = companion_pb2.ReplyText(text=clause, first_sample=begin, protected=protected)
        async with aclosing(self._sounds(clause.strip())) as sounds:
            # The text waits for its first sound: a reply that was begun ahead has both then.
            sound = await anext(sounds, None)
            await self._send(reply_text=event)
            self.clauses.append(Spoken(clause, begin, begin))
            while sound is not None:
                await self._send_sound(sound)
                sound = await anext(sounds, None)
        if self._voice_failed and not self._voice_failure_told:
            self._voice_failure_told = True
            await self._notice("TTS_FAILED", "The voice failed; the reply is sent as text.")
        self.clauses[-1] = Spoken(clause, begin, self.sample_count)

    async def _sounds(self, clause: str) -> AsyncGenerator[Samples, None]:
        if not any(character.isalnum() for character in clause):
            return
        try:
            async with aclosing(self._engines.tts.stream(clause)) as sounds:
                async for sound in sounds:
                    yield sound
        except EngineError:
            self.failed = self._voice_failed = True

    async def _send_sound(self, sound: Samples) -> None:
        step = int(CHUNK_S * self._engines.tts.sample_rate_hertz)
        for first in range(0, len(sound), step):
            part = sound[first : first + step]
            chunk = sound_pb2.AudioChunk(first_sample=self.sample_count, pcm=to_pcm(part))
            await self._send(reply_audio=chunk)
            if self.timing.first_sound_at is None:
                self.timing.first_sound_at = time.monotonic()
            self.sample_count += len(part)
            self.clauses[-1] = Spoken(
                self.clauses[-1].text, self.clauses[-1].begin, self.sample_count
            )

    async def _notice(self, code: str, message: str) -> None:
        await self._send(notice=companion_pb2.Notice(code=code, message=message))


def split_sentences(text: str) -> list[str]:
    """Splits at the ends of sentences; joined again they are the text."""
    parts, begin = [], 0
    for match in _SENTENCE.finditer(text):
        end = match.end() + (1 if match.end() < len(text) else 0)
        parts.append(text[begin:end])
        begin = end
    return [part for part in (*parts, text[begin:]) if part.strip()]


def clause_end(text: str, first: bool) -> int | None:
    """Finds where the next clause of unfinished text ends, trailing space included."""
    for match in _SENTENCE.finditer(text):
        if match.end() < len(text):
            return match.end() + 1
    if first:
        for match in _COMMA.finditer(text, FIRST_CLAUSE_CHARACTERS):
            return match.end()
        if len(text) > LONG_CLAUSE_CHARACTERS:
            for match in _PHRASE.finditer(text, FIRST_CLAUSE_CHARACTERS):
                return match.end()
    return None
