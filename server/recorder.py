"""Writes a talk behind its back: rows queue here, reach the Keeper in batches, and are told
of when they are durable. It does not know what may be kept."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from server.consent import Keeper
from server.errors import StoreError
from server.store import Batch, EmotionFrame, Latency, RiskEvent, Turn

log = logging.getLogger("tadbot.recorder")

EVERY_S = 0.2
"""Rows wait this long for company, so that a second of talk costs few commits."""
RETRY_S = 2.0
MOST_ROWS = 5_000
"""Rows kept while the database is away, some 40 min of talk; then the oldest emotions go."""


@dataclass
class _Waiting:
    turns: dict[UUID, Turn] = field(default_factory=dict)
    emotions: list[EmotionFrame] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    events: list[RiskEvent] = field(default_factory=list)

    def take(self) -> Batch:
        batch = Batch(
            list(self.turns.values()), list(self.emotions), list(self.latencies), list(self.events)
        )
        self.turns.clear()
        self.emotions.clear()
        self.latencies.clear()
        self.events.clear()
        return batch

    def put_back(self, batch: Batch) -> None:
        self.turns = {one.id: one for one in batch.turns} | self.turns
        self.emotions = [*batch.emotions, *self.emotions][-MOST_ROWS:]
        self.latencies = [*batch.latencies, *self.latencies]
        self.events = [*batch.events, *self.events]


class Recorder:
    """The log of one session.

    saved: called with the turns that became durable.
    failing: called when the database first refuses a batch; it is tried again.
    """

    def __init__(
        self,
        keeper: Keeper,
        saved: Callable[[frozenset[UUID]], Awaitable[None]],
        failing: Callable[[], Awaitable[None]],
    ) -> None:
        self._keeper = keeper
        self._saved = saved
        self._failing = failing
        self._waiting = _Waiting()
        self._lines: deque[tuple[str, str, datetime]] = deque()
        """Lines of the audit that wait: code, level and time."""
        self._something = asyncio.Event()

    def turn(self, turn: Turn) -> None:
        """Notes one side of a turn, or what more is known of it."""
        self._waiting.turns[turn.id] = turn
        self._something.set()

    def emotion(self, frame: EmotionFrame) -> None:
        """Notes what a picture showed."""
        self._waiting.emotions.append(frame)
        self._something.set()

    def latency(self, latency: Latency) -> None:
        """Notes where the time of a turn went."""
        self._waiting.latencies.append(latency)
        self._something.set()

    def risk(self, event: RiskEvent) -> None:
        """Notes danger."""
        self._waiting.events.append(event)
        self._something.set()

    def audit(self, code: str, level: str, at: datetime) -> None:
        """Notes what the server did."""
        self._lines.append((code, level, at))
        self._something.set()

    async def run(self) -> None:
        """Writes until it is cancelled; `flush` writes the rest."""
        told = False
        while True:
            await self._something.wait()
            await asyncio.sleep(EVERY_S)
            try:
                await self.flush()
                told = False
            except StoreError as error:
                log.error("rows wait for the database: %s", error)
                if not told:
                    told = True
                    await self._failing()
                await asyncio.sleep(RETRY_S)

    async def flush(self) -> None:
        """Writes all that waits. Raises StoreError, and keeps what is left, if that fails."""
        self._something.clear()
        await self._write_lines()
        await self._write_rows()

    async def _write_lines(self) -> None:
        while self._lines:
            line = self._lines.popleft()
            try:
                await self._keeper.audit(*line)
            except (StoreError, asyncio.CancelledError):
                # Cut off while it is made durable, a line may stand twice: better than not at all.
                self._lines.appendleft(line)
                self._something.set()
                raise

    async def _write_rows(self) -> None:
        batch = self._waiting.take()
        if not batch:
            return
        try:
            saved = await self._keeper.write(batch)
        except (StoreError, asyncio.CancelledError):
            # Writing a row again changes nothing, so a batch that was cut off is safe to repeat.
            self._waiting.put_back(batch)
            self._something.set()
            raise
        if saved:
            await self._saved(saved)
