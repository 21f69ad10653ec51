"""A talk is written behind its back, and told of once it is durable."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from server import recorder as recorder_module
from server.consent import Keeper
from server.errors import StoreError
from server.recorder import MOST_ROWS, Recorder
from server.store import (
    EMOTION_LOG,
    MEMORY,
    Batch,
    EmotionFrame,
    Latency,
    RiskEvent,
    Session,
    Turn,
)
from server.store.in_memory import InMemoryStore

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Away(InMemoryStore):
    """A store that can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.batches: list[Batch] = []
        self.refused = asyncio.Semaphore(0)

    async def write(self, batch: Batch) -> frozenset[UUID]:
        self.batches.append(batch)
        if self.away:
            self.refused.release()
            raise StoreError
        return await super().write(batch)


class Log:
    """A recorder over a store, and what it told."""

    def __init__(self, store: Away, *consents: str) -> None:
        self.store = store
        self.session = Session(uuid4(), BEGAN)
        self.keeper = Keeper(store, self.session, consents)
        self.saved: asyncio.Queue[frozenset[UUID]] = asyncio.Queue()
        self.failing = 0
        self.failed = asyncio.Event()
        self.recorder = Recorder(self.keeper, self.saved.put, self._fail)

    async def _fail(self) -> None:
        self.failing += 1
        self.failed.set()

    def turn(self, number: int = 1, text: str = "I slept badly.", key: UUID | None = None) -> Turn:
        at = BEGAN + timedelta(seconds=number)
        row = Turn(key or uuid4(), self.session.id, number, "person", at, text)
        self.recorder.turn(row)
        return row


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "EVERY_S", 0.01)
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.01)


@pytest.fixture
async def log() -> AsyncIterator[Log]:
    made = Log(Away(), MEMORY, EMOTION_LOG)
    await made.keeper.open()
    task = asyncio.create_task(made.recorder.run())
    yield made
    task.cancel()
    await asyncio.wait([task])


async def test_a_turn_is_told_of_once_it_is_durable(log: Log) -> None:
    row = log.turn()
    assert log.store.batches == []
    assert await log.saved.get() == {row.id}
    assert [one.text for one in await log.store.history(log.session.id)] == [row.text]


async def test_rows_that_come_together_are_written_together(log: Log) -> None:
    rows = [log.turn(number) for number in range(1, 20)]
    log.recorder.emotion(EmotionFrame(log.session.id, BEGAN, (("fear", 0.5),)))
    log.recorder.latency(Latency(log.session.id, 1, BEGAN, first_sound_ms=9))
    log.recorder.risk(RiskEvent(uuid4(), log.session.id, 1, BEGAN, "high", "plan", "words"))
    assert await log.saved.get() == {row.id for row in rows}
    assert len(log.store.batches) == 1
    counts = await log.store.counts()
    assert [counts[name] for name in ("turns", "emotions", "latencies", "events")] == [19, 1, 1, 1]


async def test_of_a_row_that_is_noted_again_the_last_stands(log: Log) -> None:
    row = log.turn(text="I slept")
    log.turn(text="I slept badly.", key=row.id)
    await log.saved.get()
    log.turn(text="I slept very badly.", key=row.id)
    await log.saved.get()
    history = await log.store.history(log.session.id)
    assert [one.text for one in history] == ["I slept very badly."]


async def test_rows_wait_for_a_database_that_is_away(log: Log) -> None:
    log.store.away = True
    first = log.turn(1)
    await log.store.refused.acquire()
    second = log.turn(2)
    for _ in range(2):
        await log.store.refused.acquire()
    assert log.saved.empty()
    log.store.away = False
    assert await log.saved.get() == {first.id, second.id}
    assert log.failing == 1


async def test_each_time_the_database_goes_away_is_told_once(log: Log) -> None:
    for number in (1, 2):
        log.store.away = True
        log.turn(number)
        await log.failed.wait()
        log.failed.clear()
        log.store.away = False
        await log.saved.get()
    assert log.failing == 2


async def test_a_newer_version_of_a_row_wins_over_the_one_that_waited(log: Log) -> None:
    log.store.away = True
    row = log.turn(text="older")
    with pytest.raises(StoreError):
        await log.recorder.flush()
    log.turn(text="newer", key=row.id)
    log.store.away = False
    await log.recorder.flush()
    assert [one.text for one in await log.store.history(log.session.id)] == ["newer"]


async def test_what_waits_is_bounded(log: Log) -> None:
    log.store.away = True
    frames = [
        EmotionFrame(log.session.id, BEGAN + timedelta(seconds=second), (("fear", 0.5),))
        for second in range(MOST_ROWS + 10)
    ]
    for frame in frames:
        log.recorder.emotion(frame)
    row = log.turn()
    with pytest.raises(StoreError):
        await log.recorder.flush()
    log.store.away = False
    await log.recorder.flush()
    assert list(log.store.batches[-1].emotions) == frames[10:]
    assert list(log.store.batches[-1].turns) == [row]


async def test_flushing_writes_at_once_and_again_nothing(log: Log) -> None:
    row = log.turn()
    await log.recorder.flush()
    assert log.saved.get_nowait() == {row.id}
    await log.recorder.flush()
    assert log.saved.empty()
    assert len(log.store.batches) == 1


async def test_without_consent_nothing_is_durable_and_nothing_is_told() -> None:
    log = Log(Away())
    await log.keeper.open()
    log.turn()
    await log.recorder.flush()
    assert log.saved.empty()
    assert log.store.batches == []


async def test_lines_of_the_audit_are_written_though_rows_are_refused(log: Log) -> None:
    log.store.away = True
    log.turn()
    log.recorder.audit("risk", "high", BEGAN)
    with pytest.raises(StoreError):
        await log.recorder.flush()
    with pytest.raises(StoreError):
        await log.recorder.flush()
    assert [one.count for one in await log.store.audit_counts()] == [1]


async def test_lines_of_the_audit_are_written_behind_the_talk(log: Log) -> None:
    log.recorder.audit("risk", "high", BEGAN)
    assert await log.store.audit_counts() == []
    async with asyncio.timeout(5):
        while not await log.store.audit_counts():
            await asyncio.sleep(0.01)
