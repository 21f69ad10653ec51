"""`tadbot-server doctor`: tries each thing that `serve` needs, and says what to do."""

import asyncio
import socket
from collections.abc import Callable

from server.commands.database import database, prepare
from server.config import Settings
from server.engines.loading import TABLE, load_engine
from server.errors import ConfigError, TadbotError
from server.safety import help_lines, help_table, unverified, what_is_missing


def doctor(settings: Settings) -> int:
    """Prints a line for each check. Returns 0 if all are well, else 1."""
    checks: list[tuple[str, Callable[[], str]]] = [
        *((f"engine {seam}", lambda seam=seam: _engine(seam, settings)) for seam in TABLE),
        ("danger", lambda: _danger(settings)),
        ("help lines", lambda: _help_lines(settings)),
        ("database", lambda: _database(settings)),
        ("address", lambda: _address(settings)),
    ]
    failed = 0
    for name, check in checks:
        try:
            print(f"ok    {name}: {check()}", flush=True)
        except TadbotError as error:
            failed = 1
            print(f"FAIL  {name}: {error}", flush=True)
    return failed


def _engine(seam: str, settings: Settings) -> str:
    engine = load_engine(seam, settings)
    if engine is None:
        return "off"

    async def run() -> None:
        await engine.warm_up()
        await engine.close()

    asyncio.run(run())
    said = engine.describe()
    return " ".join(part for part in (said.name, said.model, "on", said.device) if part)


def _danger(settings: Settings) -> str:
    encoder = load_engine("danger", settings)
    if missing := what_is_missing(encoder.describe().model if encoder is not None else ""):
        raise ConfigError(missing)
    return "patterns, classifier and what was said before"


def _help_lines(settings: Settings) -> str:
    table = help_table(settings.own_help_lines())
    lines, children = unverified(table)
    said = (
        f"{len(table)} countries; unverified or too old are {len(lines)} of the numbers and "
        f"{len(children)} of those for children"
    )
    country = help_lines(settings.conversation.country, table).country
    if country in (*lines, *children):
        said += f", that of {country} too: call it once, and write the day in your own help lines"
    return said


def _database(settings: Settings) -> str:
    with database(settings) as base:
        prepare(base)
    return settings.store.engine


def _address(settings: Settings) -> str:
    listen = settings.server.listen
    if listen.startswith("unix:"):
        return listen
    host, _, port = listen.rpartition(":")
    with socket.socket() as probe:
        if probe.connect_ex((host, int(port))) == 0:
            raise ConfigError(f"Something listens on {listen} already; a server of yours?")
    return f"{listen} is free"
