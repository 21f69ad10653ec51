"""The server that a talk brings with it."""

import asyncio
import os
import signal
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from pi_client import standalone
from pi_client.config import Options
from pi_client.errors import ClientError
from pi_client.standalone import server_command, standalone_server

# Servers in a few words: each is what stands after `python -c`, with the address behind it.
GOOD = """
import os, sys
open(sys.argv[1].removeprefix('unix:'), 'w').write(str(os.getpid()))
print('serving on', sys.argv[1], flush=True)
sys.stdin.read()
"""
STUBBORN = (
    GOOD
    + """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(60)
"""
)
DYING = (
    """
import signal, sys
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit('The disk is full.'))
"""
    + GOOD
)
BROKEN = "import sys; sys.exit('The weights are missing; run `tadbot-server models pull`.')"
SLOW = "import sys; sys.stdin.read()"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def starting(program: str, stop: asyncio.Event | None = None) -> AbstractAsyncContextManager[str]:
    command = [sys.executable, "-c", program, "{address}"]
    return standalone_server(Options(standalone=True), stop or asyncio.Event(), command)


def runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_serves_as_long_as_it_is_wanted() -> None:
    async with starting(GOOD) as address:
        socket = Path(address.removeprefix("unix:"))
        assert len(str(socket)) < 108
        assert socket.parent.stat().st_mode & 0o077 == 0
        number = int(socket.read_text())
        assert runs(number)
        # Ctrl-C in the client's terminal does not reach it.
        assert os.getsid(number) != os.getsid(0)
    assert not runs(number)
    assert not socket.parent.exists()


async def test_it_is_killed_if_nothing_else_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standalone, "_END_S", 0.3)
    monkeypatch.setattr(standalone, "_TERMINATE_S", 0.3)
    async with starting(STUBBORN) as address:
        number = int(Path(address.removeprefix("unix:")).read_text())
    assert not runs(number)


async def test_its_last_words_say_why_it_did_not_start(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="The weights are missing"):
        async with starting(BROKEN):
            pass
    log = tmp_path / "tadbot" / "standalone.log"
    assert "models pull" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


async def break_off() -> None:
    async with starting(DYING) as address:
        number = int(Path(address.removeprefix("unix:")).read_text())
        os.kill(number, signal.SIGTERM)
        raise ClientError("The server went away.")


async def test_its_last_words_say_why_the_talk_broke_off() -> None:
    with pytest.raises(ClientError, match="The disk is full"):
        await break_off()


async def test_ctrl_c_while_it_starts_ends_it() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.2, stop.set)
    async with starting(SLOW, stop):
        assert stop.is_set()


def test_the_command_names_profile_socket_and_settings() -> None:
    options = Options(standalone=True, config=Path("t.toml"), data_dir=Path("data"))
    assert server_command(options, "unix:/tmp/s")[1:] == [
        *("-m", "server", "serve", "--profile", "pi", "--listen", "unix:/tmp/s"),
        *("--until-stdin-closes", "--config", "t.toml", "--data-dir", "data"),
    ]


def test_without_the_server_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standalone, "_NEEDED", ("server", "no_such_library"))
    with pytest.raises(ClientError, match=r"pip install 'tadbot\[standalone\]'"):
        server_command(Options(standalone=True), "unix:/tmp/s")
