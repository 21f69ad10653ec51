"""Which reply is being said, and how much of it was heard; it does not know why it is said."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from tadbot.v1 import companion_pb2 as pb

from server.engines import Engines, Samples
from server.outbox import Outbox
from server.own_voice import OwnVoice
from server.reply import Reply
from server.safety import Assessment

Say = Callable[[Reply], Awaitable[None]]
"""Speaks a whole reply."""


@dataclass
class Saying:
    """A reply on its way: from the first word looked for until the last one was heard."""

    turn: int
    reply: Reply
    revision: int = 0
    answers: Assessment | None = None
    """The danger that it answers; None: none."""
    discloses: bool = False
    """Whether it tells that this is a machine."""
    written: bool = False
    """Whether it goes word for word: what comes after it is another turn."""
    id: UUID = field(default_factory=uuid4)
    said_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    sent: bool = False
    """Whether all of it was sent, or its sending stopped."""
    interrupted: bool = False
    played: int | None = None
    """Samples that left the speaker, as the client tells; None: it has told nothing."""
    stopped_at: float | None = None
    """`time.monotonic()` when the speaker was told to stop; None: it was not."""
    may_sound: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it may leave the server: a reply that was begun ahead waits for that."""
    settled: bool = False
    """Whether it is known how much was heard: nothing more of it will be played."""
    replaced: bool = False
    """Whether the person went on with the turn that it answered: another answer takes its row."""

    @property
    def heard_samples(self) -> int:
        """Samples heard: what the client told, or else what the clock allows."""
        if self.played is not None:
            return self.played
        begin, rate = self.reply.timing.first_sound_at, self.reply.sample_rate_hertz
        elapsed = (self.stopped_at or time.monotonic()) - begin if begin is not None else 0.0
        return min(int(elapsed * rate), self.reply.sample_count)

    @property
    def heard(self) -> str:
        """The words that reached the person's ears, as far as is known."""
        return self.reply.heard(self.heard_samples)

    @property
    def heard_fraction(self) -> float:
        """Share of the sound that was heard, in [0, 1]; 1 where a reply has no sound."""
        if not self.reply.sample_count:
            return 1.0 if self.sent and not self.interrupted else 0.0
        return self.heard_samples / self.reply.sample_count


class Speaking:
    """The voice of one session: at most one reply at a time.

    noted: called when a reply was sent, and again when it is known how much was heard.
    """

    def __init__(
        self,
        engines: Engines,
        outbox: Outbox,
        tasks: asyncio.TaskGroup,
        noted: Callable[[Saying], None],
    ) -> None:
        self._engines = engines
        self._outbox = outbox
        self._tasks = tasks
        self._noted = noted
        self._task: asyncio.Task[None] | None = None
        self._prepared: tuple[Saying, asyncio.Task[None]] | None = None
        self._ducked = False
        self._own_voice = OwnVoice(engines.tts.sample_rate_hertz)
        self._recent: deque[Saying] = deque(maxlen=2)
        self.saying: Saying | None = None
        """The newest reply, if there was one."""

    def begin(
        self, turn: int, say: Say, answers: Assessment | None = None, discloses: bool = False
    ) -> Saying:
        """Starts the reply of a turn; one that was still being said is cut off."""
        saying = self.prepare(turn, say, answers, discloses)
        self.release(saying)
        return saying

    def prepare(
        self, turn: int, say: Say, answers: Assessment | None = None, discloses: bool = False
    ) -> Saying:
        """Starts a reply that stays in the server until it is released or discarded."""
        self.discard()

        async def send(**event: Any) -> None:
            await saying.may_sound.wait()
            if "reply_audio" in event:
                self._own_voice.said(event["reply_audio"].pcm)
            await self._outbox.put(turn, saying.revision, **event)

        revision = self._outbox.revision(turn)
        saying = Saying(turn, Reply(self._engines, send), revision, answers, discloses)
        self._prepared = (saying, self._tasks.create_task(self._say(saying, say)))
        return saying

    def release(self, saying: Saying) -> None:
        """Lets the prepared reply out; one that was still being said is cut off."""
        self._cut_off()
        assert self._prepared is not None
        assert self._prepared[0] is saying
        (_, self._task), self._prepared = self._prepared, None
        self.saying = saying
        self._recent.append(saying)
        saying.said_at = datetime.now(UTC)
        saying.may_sound.set()

    def discard(self) -> None:
        """Drops the prepared reply, if there is one; nobody learns of it."""
        if self._prepared is not None:
            self._prepared[1].cancel()
            self._prepared = None

    @property
    def sounding(self) -> Saying | None:
        """The reply that is being heard, as far as is known; None: there is silence."""
        saying = self.saying
        if saying is None or saying.settled or saying.reply.timing.first_sound_at is None:
            return None
        return saying

    def comes_back(self, heard: Samples) -> bool:
        """Whether a sound is the reply's own, come back through the microphone."""
        saying = self.saying
        return saying is not None and self._own_voice.comes_back(heard, saying.heard_samples)

    async def duck(self, turn: int) -> None:
        """Has the speaker play quietly while it is found out who speaks over the reply."""
        if not self._ducked:
            self._ducked = True
            await self._control(turn, pb.SpeakerControl.DUCK)

    async def resume(self, turn: int) -> None:
        """Has the speaker play on as before: it was nothing."""
        if self._ducked:
            self._ducked = False
            await self._control(turn, pb.SpeakerControl.RESUME)

    async def _control(self, turn: int, action: pb.SpeakerControl.Action.ValueType) -> None:
        await self._outbox.put(turn, speaker=pb.SpeakerControl(action=action))

    async def stop(self, turn: int) -> None:
        """Stops what is being said or still played, for the turn that begins now."""
        if self.saying is None or self.saying.settled:
            return
        self._cut_off()
        await self._control(turn, pb.SpeakerControl.STOP)

    def played(self, played: pb.Played) -> None:
        """Takes the client's word for how much was heard; it may come after an interruption.

        It may also go back: a reply that was held is taken up at the beginning of a word.
        """
        for saying in self._recent:
            if (saying.turn, saying.revision) == (played.turn, played.revision):
                whole = saying.reply.sample_count
                saying.played = min(played.sample_count, whole)
                if saying.sent and (played.finished or saying.played == whole):
                    self._settle(saying, again=True)

    def end(self) -> None:
        """Nothing more is played: the talk is over."""
        if self.saying is not None:
            self._settle(self.saying)

    async def wait(self) -> None:
        """Waits until the reply is sent."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def cancel(self) -> None:
        """Stops sending, and what was prepared."""
        self.discard()
        if self._task is not None:
            self._task.cancel()

    def _cut_off(self) -> None:
        saying = self.saying
        if saying is None or saying.settled:
            return
        saying.interrupted = not saying.sent or saying.heard_fraction < 1
        saying.sent = True
        saying.stopped_at = time.monotonic()
        if self._task is not None:
            self._task.cancel()
        self._settle(saying)

    def _settle(self, saying: Saying, again: bool = False) -> None:
        """again: more is known of what was heard than when it was settled first."""
        if again or not saying.settled:
            saying.settled = True
            self._ducked = False
            self._own_voice.silence()
            self._note(saying)

    def _note(self, saying: Saying) -> None:
        if not saying.replaced:
            self._noted(saying)

    async def _say(self, saying: Saying, say: Say) -> None:
        reason = pb.ReplyDone.INTERRUPTED
        try:
            await say(saying.reply)
            reason = pb.ReplyDone.FAILED if saying.reply.failed else pb.ReplyDone.COMPLETE
        finally:
            if saying.may_sound.is_set():
                await self._end_sending(saying, reason)

    async def _end_sending(self, saying: Saying, reason: pb.ReplyDone.Reason.ValueType) -> None:
        saying.sent = True
        done = pb.ReplyDone(reason=reason, sample_count=saying.reply.sample_count)
        if reason == pb.ReplyDone.INTERRUPTED:
            self._tell(self._outbox.put(saying.turn, saying.revision, reply_done=done))
        else:
            await self._outbox.put(saying.turn, saying.revision, reply_done=done)
            await self._outbox.activity(saying.turn, pb.State.LISTENING)
            self._note(saying)
            if not saying.reply.sample_count:
                self._settle(saying)

    def _tell(self, event: Coroutine[Any, Any, None]) -> None:
        """Sends from a task that was cut off; if the whole talk was, nobody is left to tell."""
        try:
            self._tasks.create_task(event)
        except RuntimeError:
            event.close()
