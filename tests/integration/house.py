"""A real server in this process, and somebody who talks to it faster than real time."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import grpc.aio
import numpy as np
from google.rpc import error_details_pb2, status_pb2
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import companion_pb2_grpc, emotion_recognition_pb2, sound_pb2

from server.config import Settings, load
from server.engines import Engines, Generation, Message, Samples, Usage
from server.engines.fake import FakeLanguageModel, hear_tones, speak_tones
from server.engines.loading import load_engines
from server.service.house import House
from server.service.serving import Doorkeeper
from server.sound import to_pcm, to_samples
from server.store import Store
from server.store.in_memory import InMemoryStore

RATE = 16_000
MESSAGE = RATE * 32 // 1000
"""Samples in a message: 32 ms, as the client packs them."""
PATIENCE_S = 20.0
"""Longest wait for an event; only a fault takes it."""
PAUSE_S = 2.0
"""Silence after words, longer than the server's patience."""


class CountingModel(FakeLanguageModel):
    """The fake model, which keeps every chat that it was asked to go on with, or to read ahead."""

    def __init__(self) -> None:
        self.chats: list[Sequence[Message]] = []
        self.beginnings: list[Sequence[Message]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def stream(
        self, messages: Sequence[Message], generation: Generation, usage: Usage | None = None
    ) -> AsyncGenerator[str, None]:
        self.chats.append(messages)
        if usage is not None:
            usage.prompt_tokens, usage.cached_tokens = 30, 20
        async for piece in super().stream(messages, generation, usage):
            yield piece

    async def prefill(self, messages: Sequence[Message]) -> None:
        self.beginnings.append(messages)
        await self.may_answer.wait()


@dataclass
class Served:
    """A server that people can come into."""

    house: House
    door: Doorkeeper
    channel: grpc.aio.Channel

    @property
    def store(self) -> Any:
        return self.house.store

    @property
    def companion(self) -> Any:
        return companion_pb2_grpc.CompanionStub(self.channel)

    @asynccontextmanager
    async def talk(self, *consents: Any, **options: Any) -> AsyncIterator["Talker"]:
        """Opens a talk; see `opening` for the options. It is cancelled at the end."""
        plays = options.pop("plays", True)
        talker = Talker(self.companion.Converse(), plays)
        try:
            await talker.send(open=opening(*consents, **options))
            yield talker
        finally:
            await talker.leave()


class _Errors(logging.Handler):
    """Keeps what would stand as a traceback on stderr."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.tracebacks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.tracebacks.append(logging.Formatter().format(record))


@asynccontextmanager
async def served(
    store: Store | None = None,
    overrides: dict[str, dict[str, Any]] | None = None,
    lets_in: bool = True,
    **engines: Any,
) -> AsyncIterator[Served]:
    """Runs the real server with the fakes on a free port; none of its talks may end in a fault.

    overrides: settings over the profile. engines: engines in the place of fakes, by seam.
    """
    errors = _Errors()
    logging.getLogger().addHandler(errors)
    settings: Settings = load(
        profile="fake",
        overrides={"server": {"listen": "127.0.0.1:0", "max_sessions": 4}, **(overrides or {})},
    )
    fakes = {**vars(load_engines(settings)), **engines}
    house = House(Engines(**fakes), store or InMemoryStore(), settings)
    await house.store.open()
    door = Doorkeeper(settings.server.listen)
    await door.start()
    if lets_in:
        await door.let_in(house)
    async with grpc.aio.insecure_channel(door.address) as channel:
        try:
            yield Served(house, door, channel)
        finally:
            await door.stop(0)
            await house.store.close()
            logging.getLogger().removeHandler(errors)
    assert errors.tracebacks == []


def opening(
    *consents: Any,
    told: timedelta | None = timedelta(minutes=1),
    resume: pb.Open.Resume | str = "",
    minor: bool | None = False,
    **fields: Any,
) -> pb.Open:
    """Makes an `open`. told: how long ago this person was told of the machine; None: never.

    minor: None: they have not said it.
    """
    made = pb.Open(device_id="test", consents=consents, minor=minor)
    made.audio_format.sample_rate_hertz = RATE
    if told is not None:
        made.last_disclosure.FromDatetime(datetime.now(UTC) - told)
    if isinstance(resume, str) and resume:
        resume = pb.Open.Resume(session_id=resume)
    if resume:
        made.resume.CopyFrom(resume)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


class Talker:
    """Somebody who speaks in tones, and keeps all that the server answers.

    plays: whether replies are told of as played to their end as soon as they were sent.
    While `reads` is clear it reads nothing, so that the server has to wait.
    """

    def __init__(self, call: Any, plays: bool) -> None:
        self.call = call
        self.plays = plays
        self.events: list[pb.ConverseResponse] = []
        self.error: grpc.aio.AioRpcError | None = None
        self.sample_count = 0
        self.reads = asyncio.Event()
        self.reads.set()
        self._writing = asyncio.Lock()
        self._news = asyncio.Condition()
        self._ended = False
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for event in self.call:
                await self.reads.wait()
                async with self._news:
                    self.events.append(event)
                    self._news.notify_all()
                if self.plays and event.WhichOneof("event") == "reply_done":
                    count = event.reply_done.sample_count
                    await self.played(event.turn, count, finished=True, revision=event.revision)
        except grpc.aio.AioRpcError as error:
            self.error = error
        except (asyncio.CancelledError, asyncio.InvalidStateError):
            pass
        finally:
            self._ended = True
            async with self._news:
                self._news.notify_all()

    async def leave(self) -> None:
        """Hangs up, if that was not done."""
        self.call.cancel()
        await asyncio.wait([self._reading])

    # What it does.

    async def send(self, **event: Any) -> None:
        """Sends one request; a call that the server has ended takes no more."""
        async with self._writing:
            if not self._ended:
                with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                    await self.call.write(pb.ConverseRequest(**event))

    async def hear(self, sound: Samples, message: int = MESSAGE) -> None:
        """Sends sound, message by message."""
        for first in range(0, len(sound), message):
            part = sound[first : first + message]
            chunk = sound_pb2.AudioChunk(first_sample=self.sample_count, pcm=to_pcm(part))
            self.sample_count += len(part)
            await self.send(audio=chunk)

    async def say(self, text: str, pause_s: float = PAUSE_S) -> None:
        """Speaks, and is silent for a while."""
        await self.hear(np.concatenate([speak_tones(text), silence(pause_s)]))

    async def show(self, jpeg: bytes, at_s: float) -> None:
        """Shows a picture."""
        frame = emotion_recognition_pb2.VideoFrame(jpeg=jpeg)
        frame.capture_offset.FromMicroseconds(round(1e6 * at_s))
        await self.send(frame=frame)

    async def played(self, turn: int, sample_count: int, finished: bool, revision: int = 0) -> None:
        """Tells how much of a reply was heard."""
        played = pb.Played(
            turn=turn, sample_count=sample_count, finished=finished, revision=revision
        )
        await self.send(played=played)

    async def ask(self, text: str) -> str:
        """Speaks, waits for the whole reply, and returns its text."""
        done = len(self.all("reply_done"))
        await self.say(text)
        event = await self.until(lambda: self.all("reply_done")[done:])
        return self.reply(event[0].turn)

    async def goodbye(self) -> None:
        """Half-closes and waits for the end."""
        async with self._writing:
            await self.call.done_writing()
        await self.end()

    async def end(self) -> grpc.StatusCode:
        """Waits for the server to end the call and returns its status."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.shield(asyncio.wait([self._reading]))
            return await self.call.code()

    # What came of it.

    async def until(self, found: Callable[[], Any]) -> Any:
        """Waits until something is true of the events, and returns it."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            while not (result := found()):
                if self._ended:
                    names = [one.WhichOneof("event") for one in self.events]
                    raise AssertionError(f"the call ended with {self.error!r} after {names}")
                await self._news.wait()
            return result

    async def first(self, name: str, turn: int | None = None) -> Any:
        """Waits for an event, of a turn if one is named, and returns its response."""
        found = await self.until(
            lambda: [one for one in self.all(name) if turn in (None, one.turn)]
        )
        return found[0]

    def all(self, name: str) -> list[pb.ConverseResponse]:
        return [one for one in self.events if one.WhichOneof("event") == name]

    def names(self, turn: int | None = None) -> list[str]:
        """Lists the names of all events, of a turn if one is named."""
        return [str(one.WhichOneof("event")) for one in self.events if turn in (None, one.turn)]

    @property
    def notices(self) -> list[str]:
        return [one.notice.code for one in self.all("notice")]

    @property
    def transcripts(self) -> list[str]:
        """Lists what was finally heard."""
        return [one.transcript.text for one in self.all("transcript") if one.transcript.final]

    def newest(self, name: str, turn: int) -> list[pb.ConverseResponse]:
        """Lists the events of a turn's newest revision."""
        every = [one for one in self.all(name) if one.turn == turn]
        revision = max((one.revision for one in every), default=0)
        return [one for one in every if one.revision == revision]

    def reply(self, turn: int) -> str:
        """Joins the text of a reply."""
        return "".join(one.reply_text.text for one in self.newest("reply_text", turn))

    def spoken(self, turn: int) -> str:
        """Hears the sound of a reply; the voice leaves out the spaces between clauses."""
        sounds = [to_samples(one.reply_audio.pcm) for one in self.newest("reply_audio", turn)]
        return hear_tones(np.concatenate(sounds)) if sounds else ""

    def controls(self) -> list[tuple[int, int, int]]:
        """Lists what the speaker was told: turn, revision and action."""
        return [(one.turn, one.revision, one.speaker.action) for one in self.all("speaker")]


def silence(seconds: float) -> Samples:
    """Makes silence."""
    return np.zeros(round(seconds * RATE), np.float32)


def reason(error: grpc.aio.AioRpcError | None) -> str:
    """Reads the reason of the ErrorInfo that a call ended with."""
    assert error is not None
    trailing: Iterable[tuple[str, Any]] = error.trailing_metadata() or ()
    status = status_pb2.Status.FromString(dict(trailing)["grpc-status-details-bin"])
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "tadbot"
    assert (status.code, status.message) == (error.code().value[0], error.details())
    return str(info.reason)
