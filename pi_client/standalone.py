"""Starts a server on this machine for one talk and ends it; the one file that knows of it.

It is a child that ends when its standard input does, so that nothing stays behind however the
client ends.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from pi_client.config import Options
from pi_client.errors import ClientError
from pi_client.state import state_dir

# What the server cannot do without; all of it comes with the extra.
_NEEDED = ("server", "grpc_health", "onnxruntime", "psycopg", "xllamacpp", "faster_whisper")
# The word that the server prints when it is ready.
_READY = b"serving"
# Models and a new database on a slow card take a minute.
_START_S = 300.0
# How long the server may take to end: by itself, then when told to.
_END_S = 10.0
_TERMINATE_S = 5.0
# A server that ended breaks the line a moment before it is seen to have ended.
_NOTICED_S = 0.5
# A path of a unix socket has room for 107 bytes.
_LONGEST_SOCKET_FOLDER = 100


def server_command(options: Options, address: str) -> list[str]:
    """Returns the command that starts the server.

    Raises ClientError if the server is not installed.
    """
    if not all(find_spec(name) for name in _NEEDED):
        raise ClientError(
            "--standalone needs the server on this machine; install it with "
            "`pip install 'tadbot[standalone]'`."
        )
    command = [sys.executable, "-m", "server", "serve", "--profile", options.profile]
    command += ["--listen", address, "--until-stdin-closes"]
    if options.config is not None:
        command += ["--config", str(options.config)]
    if options.data_dir is not None:
        command += ["--data-dir", str(options.data_dir)]
    return command


@asynccontextmanager
async def standalone_server(
    options: Options, stop: asyncio.Event, command: Sequence[str] = ()
) -> AsyncIterator[str]:
    """Starts the server, yields its address when it serves, and ends it afterwards.

    command: what to start instead; the address is put in the place of `{address}`. Where
    `stop` is set while it starts, it yields without waiting any longer.
    Raises ClientError if it cannot be started or ends by itself.
    """
    folder = _socket_folder()
    try:
        address = f"unix:{folder}/s"
        parts = [part.replace("{address}", address) for part in command]
        log = state_dir() / "standalone.log"
        process = await _start(parts or server_command(options, address), log)
        try:
            drain = await _wait_until_ready(process, log, stop)
            yield address
            drain.cancel()
        except ClientError as error:
            if await _ended(process, _NOTICED_S):
                raise ClientError(_stopped(log)) from error
            raise
        finally:
            await _end(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _socket_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tadbot-"))
    if len(str(folder)) > _LONGEST_SOCKET_FOLDER:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="tadbot-", dir="/tmp"))
    return folder


async def _start(command: Sequence[str], log: Path) -> Process:
    try:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            # A session of its own: Ctrl-C is for the client, which ends the server in order.
            return await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=errors, start_new_session=True
            )
        finally:
            os.close(errors)
    except OSError as error:
        raise ClientError(
            f"The server cannot be started ({error.strerror}: {error.filename}); "
            "see that this file can be used."
        ) from error


async def _wait_until_ready(
    process: Process, log: Path, stop: asyncio.Event
) -> "asyncio.Task[None]":
    """Waits for the word `serving` or for `stop`; returns what goes on emptying the pipe."""
    ready = asyncio.Event()
    drain = asyncio.create_task(_drain(process, ready))
    stopped = asyncio.create_task(stop.wait())
    served = asyncio.create_task(ready.wait())
    try:
        done, _ = await asyncio.wait(
            {drain, stopped, served}, timeout=_START_S, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        stopped.cancel()
        served.cancel()
    if drain in done and not ready.is_set():
        raise ClientError(_stopped(log))
    if not done:
        drain.cancel()
        raise ClientError(f"The server did not get ready in {_START_S:.0f} s; look at {log}.")
    return drain


async def _drain(process: Process, ready: asyncio.Event) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        if _READY in line:
            ready.set()


def _stopped(log: Path) -> str:
    """Says why the server ended, in its own last words."""
    with suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()
        if lines:
            return f"The server stopped: {lines[-1].strip()} (all of it is in {log})"
    return f"The server stopped without a word; start `tadbot-server serve` to see why ({log})."


async def _ended(process: Process, within_s: float) -> bool:
    """Whether the server has ended, or does so soon."""
    try:
        async with asyncio.timeout(within_s):
            await process.wait()
    except TimeoutError:
        return False
    return True


async def _end(process: Process) -> None:
    """Lets the server end by itself, then tells it to, then kills it and its children."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        if await _ended(process, _END_S):
            return
        with suppress(ProcessLookupError):
            process.terminate()
        await _ended(process, _TERMINATE_S)
    finally:
        # Also where the person does not want to wait any longer.
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
