"""An engine's own threads, seen from asyncio."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from server.engines.worker import Emit, Worker
from server.errors import EngineError

PATIENCE_S = 5.0
"""Far more than a thread needs to be told; only a hang takes it."""


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    made = Worker("test")
    yield made
    await made.close()


async def test_a_call_runs_beside_the_event_loop(worker: Worker) -> None:
    name = await worker.run(lambda: threading.current_thread().name)
    assert name.startswith("tadbot-test")
    assert await worker.run(lambda one, two: (two, one), 1, 2) == (2, 1)


async def test_the_loop_goes_on_while_a_call_blocks(worker: Worker) -> None:
    release = threading.Event()
    call = asyncio.create_task(worker.run(release.wait, PATIENCE_S))
    await asyncio.sleep(0.01)
    assert not call.done()
    release.set()
    assert await call


async def test_calls_run_one_after_another(worker: Worker) -> None:
    running: list[int] = []

    def call() -> int:
        running.append(1)
        most = len(running)
        running.pop()
        return most

    assert await asyncio.gather(*(worker.run(call) for _ in range(50))) == [1] * 50


async def test_an_error_of_a_call_passes_through(worker: Worker) -> None:
    def fail() -> None:
        raise EngineError("no")

    with pytest.raises(EngineError, match="no"):
        await worker.run(fail)
    assert await worker.run(lambda: 1) == 1


async def test_a_stream_yields_what_is_emitted_in_order(worker: Worker) -> None:
    def produce(emit: Emit[int]) -> None:
        for number in range(100):
            emit(number)

    assert [one async for one in worker.stream(produce)] == list(range(100))


async def test_an_error_of_a_stream_comes_after_what_was_emitted(worker: Worker) -> None:
    def produce(emit: Emit[int]) -> None:
        emit(1)
        raise EngineError("no")

    stream = worker.stream(produce)
    assert await anext(stream) == 1
    with pytest.raises(EngineError, match="no"):
        await anext(stream)


async def test_a_stream_that_is_closed_early_stops_the_call(worker: Worker) -> None:
    stopped = threading.Event()

    def produce(emit: Emit[int]) -> None:
        number = 0
        while not emit(number):
            number += 1
        stopped.set()

    stream = worker.stream(produce)
    assert [await anext(stream) for _ in range(3)] == [0, 1, 2]
    await stream.aclose()
    assert await asyncio.to_thread(stopped.wait, PATIENCE_S)
    assert await worker.run(lambda: 1) == 1


async def test_a_stream_that_is_closed_while_it_waits_its_turn_never_runs(worker: Worker) -> None:
    release, ran = threading.Event(), threading.Event()
    busy = asyncio.create_task(worker.run(release.wait, PATIENCE_S))
    stream = worker.stream(lambda emit: ran.set())
    waiting = asyncio.create_task(anext(stream, None))
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.wait([waiting])
    release.set()
    await busy
    await worker.run(lambda: None)
    assert not ran.is_set()


async def test_closing_drops_what_waits_and_lets_the_running_call_end() -> None:
    worker = Worker("test")
    release, ran = threading.Event(), threading.Event()
    busy = asyncio.create_task(worker.run(release.wait, PATIENCE_S))
    waiting = asyncio.create_task(worker.run(ran.set))
    await asyncio.sleep(0.01)
    await worker.close()
    release.set()
    assert await busy
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not ran.is_set()
    await worker.close()
