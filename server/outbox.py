"""Numbers a session's responses and sends them one at a time; it does not know their meaning."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tadbot.v1 import companion_pb2 as pb

T = TypeVar("T")
Send = Callable[[pb.ConverseResponse], Coroutine[Any, Any, None]]


class Outbox:
    """The one way out of a session."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sequence = 0
        self._lock = asyncio.Lock()
        self._activity: int | None = None
        self._revised: tuple[int, int] = (0, 0)
        """The newest turn that has revisions, and its newest one."""
        self._closed = False

    def close(self) -> None:
        """Drops what comes from now on: nobody reads it."""
        self._closed = True

    def revise(self, turn: int) -> None:
        """Begins a new revision of a turn: what is sent of it from now on replaces the rest."""
        self._revised = (turn, self.revision(turn) + 1)

    def revision(self, turn: int) -> int:
        """The newest revision of a turn."""
        return self._revised[1] if turn == self._revised[0] else 0

    async def put(self, turn: int, revision: int | None = None, **event: Any) -> None:
        """Sends one event, such as `opened=…`, under a turn.

        revision: None: the newest one of the turn.
        """
        if revision is None:
            revision = self.revision(turn)
        async with self._lock:
            if self._closed:
                return
            self._sequence += 1
            response = pb.ConverseResponse(
                sequence=self._sequence, turn=turn, revision=revision, **event
            )
            await whole(self._send(response))

    async def notice(self, turn: int, code: str, message: str) -> None:
        """Tells of a fault that the talk survives."""
        await self.put(turn, notice=pb.Notice(code=code, message=message))

    async def activity(self, turn: int, activity: pb.State.Activity.ValueType) -> None:
        """Tells what the server is doing, if that is new."""
        if activity != self._activity:
            self._activity = activity
            await self.put(turn, state=pb.State(activity=activity))


async def whole(write: Coroutine[Any, Any, T]) -> T:
    """Ends what has begun, even where the task that wants it is cancelled.

    gRPC takes one write at a time, and the call breaks if the next begins before.
    """
    writing = asyncio.ensure_future(write)
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        # Nobody is left to hear how it ended.
        writing.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait([writing])
        raise
