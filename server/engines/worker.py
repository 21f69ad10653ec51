"""Threads of an engine's own, seen from asyncio; it does not know what runs there."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")
Emit = Callable[[T], bool]
"""Hands an item on, from the thread; returns whether nobody wants more of them."""


class _End(Generic[T]):
    """What a stream ends with: an error, or nothing."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


class Worker:
    """Runs one engine's blocking calls off the event loop, one after another.

    threads: more than one only where the library takes calls side by side.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"tadbot-{name}")

    async def run(self, call: Callable[..., T], *arguments: object) -> T:
        """Runs one call and returns what it returns; what it raises is raised here."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)

    async def stream(self, produce: Callable[[Emit[T]], None]) -> AsyncGenerator[T, None]:
        """Runs a call that emits items, and yields them as they come.

        produce: gets an `Emit`; it is to return soon after that has returned True. Closing
        this generator makes it return True and does not wait.
        """
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[T | _End[T]] = asyncio.Queue()
        unwanted = threading.Event()

        def put(item: T | _End[T]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(items.put_nowait, item)

        def emit(item: T) -> bool:
            if not unwanted.is_set():
                put(item)
            return unwanted.is_set()

        def run() -> None:
            error = None
            try:
                if not unwanted.is_set():
                    produce(emit)
            except Exception as raised:
                error = raised
            put(_End(error))

        self._pool.submit(run)
        try:
            while not isinstance(item := await items.get(), _End):
                yield item
            if item.error is not None:
                raise item.error
        finally:
            unwanted.set()

    async def close(self) -> None:
        """Drops the calls that wait and ends the threads after the one that runs."""
        self._pool.shutdown(wait=False, cancel_futures=True)
