"""One talk from hello to goodbye: what is sent, what comes, and when it ends."""

import asyncio
from contextlib import aclosing, suppress
from datetime import date, timedelta

import grpc.aio
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import emotion_recognition_pb2 as emotion_pb
from tadbot.v1 import sound_pb2

from pi_client import link, state
from pi_client.alone import Alone
from pi_client.barge_in import BargeIn
from pi_client.camera import FRAME_INTERVAL_S
from pi_client.config import Options
from pi_client.equipment import Devices
from pi_client.errors import ClientError
from pi_client.microphone import is_sound_file
from pi_client.opening import opening
from pi_client.progress import Progress
from pi_client.pulse import Pulse
from pi_client.record import Record
from pi_client.reply import Heard
from pi_client.rights import Rights
from pi_client.sound import BLOCK_SAMPLES, Samples

# A server that took `open` answers it at once.
_OPENED_S = 10.0
# A server whose program stands still keeps the line, and takes sound until its buffers are full.
_TAKEN_S = 10.0
# After goodbye the server still writes what was said.
_GOODBYE_S = 20.0
# The same when the person presses Ctrl-C and wants to be gone.
_HURRIED_GOODBYE_S = 3.0


class Conversation:
    """Carries one stream: sends on the microphone's clock, and takes what comes."""

    def __init__(self, options: Options, devices: Devices, record: Record, rights: Rights) -> None:
        self._options = options
        self._microphone = devices.microphone
        self._playout = devices.playout
        self._speaker = devices.speaker
        self._sight = devices.sight
        self._record = record
        self._rights = rights
        self._barge_in = BargeIn(self._playout, record.barge_in)
        self._alone = Alone(
            devices.microphone,
            devices.playout,
            devices.speaker,
            devices.help_key,
            record,
            stays=not is_sound_file(options.microphone),
        )
        self._progress = Progress()
        self._opened = asyncio.Event()
        self._over = asyncio.Event()
        self._begun = False
        self._goodbye = False
        self._lost = False
        self._greeted = False
        self._frame_bytes = 0
        self._frame_interval_s = FRAME_INTERVAL_S
        self._framed_at = 0.0

    async def run(self, stub: link.Stub, address: str, stop: asyncio.Event) -> None:
        """Talks until the recording has been answered, `stop` is set, or the server ends it.

        Where the server goes, what helps without it is said first.
        Raises ClientError if the server fails or goes away, unless `stop` was set.
        """
        self._begun = True
        metadata = link.metadata(self._options.keys)
        self._pulse = Pulse(stub, address, metadata)
        call: link.Call = stub.Converse(None, metadata=metadata)
        fault: ClientError | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                aside = [
                    tasks.create_task(self._hurry(call, stop)),
                    tasks.create_task(self._alone.follow_key()),
                    tasks.create_task(self._follow_pulse()),
                ]
                receiver = tasks.create_task(self._receive(call, address))
                sender = tasks.create_task(self._send(call, address, stop))
                await asyncio.wait({receiver, sender})
                for task in aside:
                    task.cancel()
        except ExceptionGroup as group:
            faults, others = group.split(ClientError)
            if others is not None:
                raise
            if faults is not None and not stop.is_set():
                fault = faults.exceptions[0]  # type: ignore[assignment]  # the tasks have no groups
        finally:
            call.cancel()
            self._settle()
            self._record.ended()
        if fault is not None:
            if self._lost:
                await self._alone.server_went(stop)
            else:
                self._alone.talk_failed()
            raise fault from None

    def failed(self) -> None:
        """Says what helps, where something failed before the talk was begun."""
        if not self._begun:
            self._alone.talk_failed()

    async def _follow_pulse(self) -> None:
        await self._opened.wait()
        try:
            await self._pulse.follow()
        except ClientError:
            self._lost = True
            raise

    async def _send(self, call: link.Call, address: str, stop: asyncio.Event) -> None:
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            self._record.began()
            said = opening(self._options, self._rights, self._alone.help_version)
            await call.write(pb.ConverseRequest(open=said))
            self._microphone.start()
            await self._wait_until_opened(address)
            await self._talk(call, address, stop)
            await self._say_goodbye(call, address)
        # A line that breaks is told by the receiver, which knows why.

    async def _wait_until_opened(self, address: str) -> None:
        """Waits before anything else is sent, so that a refusal comes with its reason.

        The microphone listens already: what it hears meanwhile is sent afterwards.
        """
        try:
            async with asyncio.timeout(_OPENED_S):
                await self._opened.wait()
        except TimeoutError:
            raise ClientError(
                f"The server at {address} does not answer; look at its log."
            ) from None

    async def _talk(self, call: link.Call, address: str, stop: asyncio.Event) -> None:
        """Sends until there is no more to send. Sound first, then `played`, then a picture."""
        self._sight.start()
        caught_up = False
        ended_at: float | None = None
        while not stop.is_set() and not self._over.is_set():
            first_sample, block = await self._microphone.read()
            # Before the speaker goes on: so it gives way in its very next block.
            self._barge_in.hear(first_sample, block)
            await self._send_sound(call, address, first_sample, block)
            # What was captured before `opened` is past: a reply cannot be heard in it.
            caught_up = caught_up or not self._microphone.behind
            if caught_up:
                self._speaker.advance(first_sample + BLOCK_SAMPLES)
            if self._alone.interrupts():
                await call.write(pb.ConverseRequest(interrupt=pb.Interrupt()))
            await self._tell_played(call)
            await self._show(call)
            now = self._record.elapsed_s()
            if self._microphone.ended:
                ended_at = now if ended_at is None else ended_at
                if self._progress.over(now, ended_at, self._playout.waiting):
                    return

    async def _send_sound(
        self, call: link.Call, address: str, first_sample: int, block: Samples
    ) -> None:
        try:
            async with asyncio.timeout(_TAKEN_S):
                await call.write(_audio(first_sample, block))
        except TimeoutError:
            self._lost = True
            raise ClientError(
                f"The server at {address} takes no more sound; start it again, then a new talk."
            ) from None

    async def _tell_played(self, call: link.Call) -> None:
        for heard in self._playout.reports():
            self._note(heard)
            turn, revision = heard.key
            played = pb.Played(
                turn=turn,
                revision=revision,
                sample_count=heard.sample_count,
                finished=heard.finished,
            )
            await call.write(pb.ConverseRequest(played=played))

    async def _show(self, call: link.Call) -> None:
        """Sends the newest picture, if it is time for one and no sound waits."""
        now = self._record.elapsed_s()
        due = now - self._framed_at >= self._frame_interval_s
        if self._microphone.behind or not due:
            return
        if (taken := self._sight.take()) is None:
            return
        taken_at, jpeg = taken
        if self._frame_bytes and len(jpeg) > self._frame_bytes:
            return
        self._framed_at = now
        frame = emotion_pb.VideoFrame(jpeg=jpeg)
        frame.capture_offset.FromTimedelta(timedelta(seconds=max(self._record.at_s(taken_at), 0.0)))
        await call.write(pb.ConverseRequest(frame=frame))

    async def _say_goodbye(self, call: link.Call, address: str) -> None:
        self._playout.drop()
        await self._tell_played(call)
        self._goodbye = True
        await call.done_writing()
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await self._over.wait()
        except TimeoutError:
            self._lost = True
            raise ClientError(
                f"The server at {address} did not answer the goodbye; look at its log."
            ) from None

    async def _receive(self, call: link.Call, address: str) -> None:
        try:
            async with aclosing(link.responses(call, address)) as responses:
                async for response in responses:
                    self._saw(response)
        except ClientError:
            self._lost = True
            raise
        finally:
            self._over.set()
            self._opened.set()
        if not self._goodbye:
            self._lost = True
            raise ClientError(f"The server at {address} ended the talk; start a new one.")

    def _saw(self, response: pb.ConverseResponse) -> None:
        self._pulse.saw()
        self._playout.saw(response)
        self._barge_in.saw(response)
        self._record.saw(response)
        self._rights.saw(response)
        self._sight.saw(response)
        self._progress.saw(response, self._record.elapsed_s())
        if response.WhichOneof("event") == "opened":
            opened = response.opened
            self._frame_bytes = opened.max_frame_bytes
            if opened.max_frames_per_second > 0:
                self._frame_interval_s = max(FRAME_INTERVAL_S, 1 / opened.max_frames_per_second)
            self._speaker.start()
            self._opened.set()
        self._alone.saw(response)

    async def _hurry(self, call: link.Call, stop: asyncio.Event) -> None:
        """Gives a server that does not listen only a little time after Ctrl-C."""
        await stop.wait()
        self._opened.set()
        await asyncio.sleep(_HURRIED_GOODBYE_S)
        self._over.set()
        call.cancel()

    def _settle(self) -> None:
        """Writes what became of replies after the last word was sent."""
        self._playout.drop()
        for heard in self._playout.reports():
            self._note(heard)

    def _note(self, heard: Heard) -> None:
        self._record.heard(heard, self._playout.sample_rate_hertz)
        # What is said before the first turn says that this is a machine; if the person does not
        # let it end, the next reply says it again. Only then can it have been heard.
        self._greeted = self._greeted or heard.key[0] == 0
        if self._greeted and heard.complete and heard.sample_count:
            with suppress(OSError):
                state.write_last_disclosure(date.today())


def _audio(first_sample: int, block: Samples) -> pb.ConverseRequest:
    pcm = block.astype("<i2").tobytes()
    return pb.ConverseRequest(audio=sound_pb2.AudioChunk(first_sample=first_sample, pcm=pcm))
