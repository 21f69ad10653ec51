"""`tadbot-server serve`: database, engines and door, in this order, and back again."""

import asyncio
import logging
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack, aclosing
from datetime import UTC, datetime, timedelta

from server.commands.database import Database, database, prepare
from server.config import Settings
from server.engines import Engines, Generation
from server.engines.loading import close, load_engines, warm_up
from server.prompt import Situation, messages
from server.safety import HelpLines, help_table, what_is_missing
from server.service.house import House
from server.service.serving import Doorkeeper

log = logging.getLogger("tadbot.serve")

PLUMBING = "smollm2-135m"
"""The smallest language model: for trying out and for tests."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE_S = 3.0
"""Talks may go on this long after the server was told to stop."""


def serve(settings: Settings, *, until_stdin_closes: bool = False) -> int:
    """Serves until it is told to stop (SIGINT, SIGTERM, or its standard input closes).

    Prints one line with the word `serving` when people can come in. Returns the exit code.
    """
    # Before all that takes time: nobody is let in without knowing whom to call.
    lines = help_table(settings.own_help_lines())
    early = threading.Event()
    for one in SIGNALS:
        # Until the event loop takes them over.
        signal.signal(one, lambda *_: early.set())
    log.info("profile %s", settings.profile)
    return asyncio.run(_serve(settings, lines, until_stdin_closes, early))


async def _serve(
    settings: Settings,
    lines: Mapping[str, HelpLines],
    until_stdin_closes: bool,
    early: threading.Event,
) -> int:
    stop = _stop_event(until_stdin_closes)
    if early.is_set():
        stop.set()
    door = Doorkeeper(settings.server.listen)
    await door.start()
    with ExitStack() as stack:
        try:
            # Both take seconds and neither needs the other.
            base, engines = await asyncio.gather(
                asyncio.to_thread(_open_database, settings, stack),
                asyncio.to_thread(load_engines, settings),
            )
            await _host(House(engines, base.store(), settings, lines), door, stop)
        finally:
            await door.stop(0)
    return 0


def _open_database(settings: Settings, stack: ExitStack) -> Database:
    base = stack.enter_context(database(settings))
    prepare(base)
    return base


async def _host(house: House, door: Doorkeeper, stop: asyncio.Event) -> None:
    engines = house.engines
    await house.store.open()
    try:
        await _purge(house)
        await warm_up(engines)
        if PLUMBING in engines.llm.describe().model.lower():
            log.warning(
                "the language model %s shows that everything works; it is too small to answer a "
                "person in need. Set [llm] model to a larger one, such as gemma-2-2b-it",
                engines.llm.describe().model,
            )
        model = engines.danger.describe().model if engines.danger is not None else ""
        if missing := what_is_missing(model):
            log.warning("danger is noticed by patterns alone, which find far less: %s", missing)
        await _read_persona(engines)
        if not stop.is_set():
            await door.let_in(house)
            print(f"tadbot-server is serving on {door.address}", flush=True)
        await stop.wait()
        log.info("stopping")
        await door.stop(GRACE_S)
    finally:
        await house.store.close()
        await close(engines)


async def _read_persona(engines: Engines) -> None:
    """Lets the language model read the beginning of every prompt once, so that it is cached."""
    prompt = messages(Situation("Hello."))
    async with aclosing(engines.llm.stream(prompt, Generation(max_tokens=1))) as pieces:
        async for _ in pieces:
            pass


async def _purge(house: House) -> None:
    if days := house.settings.store.retention_days:
        receipt = await house.store.purge(datetime.now(UTC) - timedelta(days=days))
        if receipt.erased:
            log.info("purged what is older than %d days: %s", days, receipt.erased)


def _stop_event(until_stdin_closes: bool) -> asyncio.Event:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for one in SIGNALS:
        loop.add_signal_handler(one, stop.set)
    if until_stdin_closes:

        def wait() -> None:
            while sys.stdin.buffer.read(4096):
                pass
            loop.call_soon_threadsafe(stop.set)

        threading.Thread(target=wait, name="stdin", daemon=True).start()
    return stop
