"""One person's session, from hello to goodbye: what comes in goes where it belongs.

It does not know gRPC: requests come as an iterator, responses leave through `send`. Time in
it is the count of samples heard; real time is only measured for the latencies.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import emotion_recognition_pb2, sound_pb2

from server.answering import Answering
from server.asides import Asides
from server.config import Settings
from server.consent import Keeper
from server.dialogue import Dialogue, Surroundings
from server.engines import SAMPLE_RATE_HERTZ, Engines
from server.errors import RequestError, TadbotError
from server.kept_help import KeptHelp
from server.meaning import Meaning
from server.memory import Memory
from server.outbox import Outbox, Send
from server.rights import Rights
from server.safety import HelpLines
from server.screening import Screening
from server.seeing import Seeing, Sight, captured_at_s, emotion_message
from server.session_log import SessionLog
from server.sound import to_samples
from server.turns import Clock, Guest

GAP_FILLED = SAMPLE_RATE_HERTZ
"""Longest gap of lost sound (1 s) that is filled with silence; beyond it the clock jumps."""
FARTHEST = 2**44
"""Sample beyond which a place in a talk is nonsense: some 30 years."""
GOODBYE_S = 30.0
"""Longest that a reply may go on after the person has said goodbye."""


@dataclass(frozen=True)
class Shared:
    """What a talk shares with all others of its server."""

    engines: Engines
    settings: Settings
    kept_help: KeptHelp


class Conversation:
    """One talk. Construct it, then `run` it once."""

    def __init__(self, shared: Shared, keeper: Keeper, guest: Guest, lines: HelpLines) -> None:
        self._engines = engines = shared.engines
        self._keeper = keeper
        self._settings = shared.settings
        self._kept_help = shared.kept_help
        self._guest = guest
        self._clock = Clock(guest.started_at, guest.sample_count)
        self._memory = Memory(engines.embedder, keeper, guest.session_id)
        self._lines = lines
        self._opened = asyncio.Event()
        self._dialogue: Dialogue | None = None

    @property
    def _turn(self) -> int:
        return self._dialogue.turn if self._dialogue is not None else 0

    async def run(self, requests: AsyncIterator[pb.ConverseRequest], send: Send) -> None:
        """Talks until the requests end, then says goodbye.

        Raises RequestError if the client breaks the contract. Whatever ends it, the session
        is closed and what may be kept is written.
        """
        self._outbox = Outbox(send)
        self._log = SessionLog(self._keeper, self._guest.session_id, self._outbox)
        guest = self._guest
        self._rights = Rights(self._keeper, self._log, self._outbox, guest.may_see, guest.minor)
        self._answering = self._make_answering()
        seeing = self._settings.emotion.max_frames_per_second
        self._seeing = Seeing(self._engines.emotion, seeing, self._saw, self._unreadable)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._dialogue = dialogue = self._make_dialogue(tasks)
                helpers = [
                    tasks.create_task(self._log.run()),
                    tasks.create_task(self._seeing.run()),
                    tasks.create_task(self._memory.run()),
                ]
                helpers.append(tasks.create_task(self._send_help(dialogue)))
                await self._open(dialogue)
                async for request in requests:
                    await self._take(dialogue, request)
                await self._say_goodbye(dialogue)
                for helper in helpers:
                    helper.cancel()
        except BaseException as error:
            self._outbox.close()
            if isinstance(error, BaseExceptionGroup):
                raise _cause(error) from error
            raise
        finally:
            await asyncio.shield(self._close())
        await self._outbox.put(self._turn, closed=pb.Closed())

    def _make_answering(self) -> Answering:
        engines, guest = self._engines, self._guest
        return Answering(
            guest,
            self._memory,
            Meaning(engines.embedder),
            Screening(engines.danger),
            Asides(guest, self._rights, self._lines, emotions=engines.emotion is not None),
            self._lines,
            self._settings.llm,
        )

    def _make_dialogue(self, tasks: asyncio.TaskGroup) -> Dialogue:
        around = Surroundings(
            outbox=self._outbox,
            log=self._log,
            memory=self._memory,
            answering=self._answering,
            clock=self._clock,
            tasks=tasks,
            feeling=self._seeing.feeling,
        )
        return Dialogue(self._engines, self._settings.conversation, self._guest, around)

    async def _open(self, dialogue: Dialogue) -> None:
        rate = self._engines.tts.sample_rate_hertz
        opened = pb.Opened(
            session_id=str(self._guest.session_id),
            reply_format=sound_pb2.AudioFormat(sample_rate_hertz=rate),
            resumed=bool(self._guest.resumed),
            max_frame_bytes=256 * 1024,
            max_frames_per_second=self._settings.emotion.max_frames_per_second,
        )
        opened.start_time.FromDatetime(self._guest.started_at)
        await self._outbox.put(0, opened=opened)
        await self._rights.open()
        if self._guest.may_see and self._engines.emotion is None:
            await self._outbox.notice(0, "EMOTION_OFF", "This server recognises no emotions.")
        await self._outbox.activity(0, pb.State.LISTENING)
        if self._settings.conversation.greeting and self._answering.greets:
            dialogue.greet()
        self._opened.set()

    async def _send_help(self, dialogue: Dialogue) -> None:
        """Sends what the client keeps for the time without a server, unless it has it."""
        await self._opened.wait()
        # There is one voice, and the greeting is waited for.
        await dialogue.speaking.wait()
        made = await self._kept_help.of(self._lines)
        if made.version != self._guest.help_lines_version:
            await self._outbox.put(0, help_lines=made)

    async def _take(self, dialogue: Dialogue, request: pb.ConverseRequest) -> None:
        match request.WhichOneof("event"):
            case "audio":
                await self._take_sound(dialogue, request.audio)
            case "frame":
                await self._take_frame(request.frame)
            case "interrupt":
                await dialogue.interrupt()
            case "played":
                dialogue.speaking.played(request.played)
            case "consent_change":
                dialogue.discard()  # it may have been begun with what is erased now
                await self._rights.change_consents(self._turn, request.consent_change)
            case "erase":
                dialogue.discard()
                if await self._rights.erase(self._turn, request.erase):
                    self._answering.forget()
            case "open":
                raise RequestError("SECOND_OPEN", "`open` came a second time.")
            case _:
                raise RequestError("EMPTY_REQUEST", "A request names no event.")

    async def _say_goodbye(self, dialogue: Dialogue) -> None:
        """Lets what is being said end; speech that was open is heard, screened and answered."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await dialogue.end()
        dialogue.speaking.cancel()

    async def _close(self) -> None:
        if self._dialogue is not None:
            self._dialogue.close()
        await self._memory.flush()
        await self._log.close(self._answering.longest_words, self._answering.risk_level)

    async def _take_sound(self, dialogue: Dialogue, audio: sound_pb2.AudioChunk) -> None:
        samples = to_samples(audio.pcm)
        if audio.first_sample > FARTHEST:
            raise RequestError("FIRST_SAMPLE", "The `first_sample` of a chunk is out of range.")
        gap = audio.first_sample - (dialogue.sample_count + self._clock.shift)
        if gap < 0:
            samples = samples[-gap:]
            await self._outbox.notice(self._turn, "SOUND_REPEATED", "Sound came twice.")
        elif gap > 0:
            await self._outbox.notice(self._turn, "SOUND_LOST", "Sound is missing.")
            filled = min(gap, GAP_FILLED)
            await dialogue.listen(np.zeros(filled, np.float32))
            self._clock.shift += gap - filled
        if len(samples):
            await dialogue.listen(samples)

    async def _take_frame(self, frame: emotion_recognition_pb2.VideoFrame) -> None:
        if self._rights.may_see:
            self._seeing.show(captured_at_s(frame), frame.jpeg)
        else:
            sentence = "A picture was dropped unseen: no consent."
            await self._outbox.notice(self._turn, "CAMERA_NOT_AGREED", sentence)

    async def _saw(self, sight: Sight) -> None:
        await self._outbox.put(self._turn, emotion=emotion_message(sight))
        self._log.emotion(self._guest.started_at + timedelta(seconds=sight.at_s), sight)

    async def _unreadable(self, sentence: str) -> None:
        await self._outbox.notice(self._turn, "FRAME_UNREADABLE", sentence)


def _cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Picks the error that ended a talk: the client's own fault before all that followed."""
    ours = group.subgroup(TadbotError)
    first: BaseException = ours if ours is not None else group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
