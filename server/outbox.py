"""Numbers a session's responses and sends them one at a time; it does not know their meaning."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tadbot.v1 import companion_pb2 as pb

Send = Callable[[pb.ConverseResponse], Awaitable[None]]


class Outbox:
    """The one way out of a session."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sequence = 0
        self._lock = asyncio.Lock()
        self._activity: int | None = None

    async def put(self, turn: int, **event: Any) -> None:
        """Sends one event, such as `opened=…`, under a turn."""
        async with self._lock:
            self._sequence += 1
            await self._send(pb.ConverseResponse(sequence=self._sequence, turn=turn, **event))

    async def notice(self, turn: int, code: str, message: str) -> None:
        """Tells of a fault that the talk survives."""
        await self.put(turn, notice=pb.Notice(code=code, message=message))

    async def activity(self, turn: int, activity: pb.State.Activity.ValueType) -> None:
        """Tells what the server is doing, if that is new."""
        if activity != self._activity:
            self._activity = activity
            await self.put(turn, state=pb.State(activity=activity))
