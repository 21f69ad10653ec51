"""A server that is killed in the middle of a talk, and the help key, as the person has them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import sound_pb2

from pi_client.help_key import HOW
from server.engines.fake import speak_tones
from server.sound import to_pcm
from tests.integration.test_bad_input import ROOT, await_address
from tests.integration.test_client_files import (
    FILES,
    RATE,
    REPLY_RATE,
    Program,
    Script,
    program,
    serving,
    write_wav,
)
from tests.integration.test_converse import DANGER

__all__ = ["program"]

TEXT = "The server is gone. You can call Samaritans on 116 123."
HELP_HERTZ = 300.0
"""Lower than all tones of the fake voice."""
SEEN_S = 20.0


@dataclass
class Server:
    """`tadbot-server serve`, to be killed."""

    process: "subprocess.Popen[str]"
    address: str

    def send(self, sign: signal.Signals) -> float:
        """Sends a signal; returns when."""
        self.process.send_signal(sign)
        return time.monotonic()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "serve", "--profile", "fake", "--listen", "127.0.0.1:0"],
        cwd=ROOT,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path / "data")},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield Server(process, await asyncio.to_thread(await_address, process))
    finally:
        process.kill()
        await asyncio.to_thread(process.communicate)


@pytest.fixture(autouse=True)
def kept(program: Program) -> Path:
    """Help lines that an earlier talk left."""
    samples = 8000 * np.sin(2 * np.pi * HELP_HERTZ * (np.arange(RATE * 3 // 4) + 0.3) / RATE)
    lines = pb.HelpLines(
        country="GB",
        text=TEXT,
        pcm=samples.astype("<i2").tobytes(),
        audio_format=sound_pb2.AudioFormat(sample_rate_hertz=RATE),
        version="from-before",
    )
    file = program.folder / "state" / "tadbot" / "help-lines.pb"
    file.parent.mkdir(parents=True)
    file.write_bytes(lines.SerializeToString())
    return file


def saying(program: Program, words: str) -> str:
    """Records somebody who waits a second and then says something."""
    pcm = to_pcm(np.concatenate([np.zeros(RATE, np.float32), speak_tones(words)]))
    return str(write_wav(program.folder / "said.wav", pcm))


async def seen(program: Program, event: str, **fields: Any) -> dict[str, Any]:
    """Waits until the client has written such an event."""
    async with asyncio.timeout(SEEN_S):
        while True:
            if (program.folder / "e.jsonl").exists():
                for one in program.events(event):
                    if fields.items() <= one.items():
                        return one
            await asyncio.sleep(0.02)


def lines_kept(file: Path) -> pb.HelpLines:
    return pb.HelpLines.FromString(file.read_bytes())


def sound(pcm: bytes) -> bytes:
    """Sound without its silences: a busy machine puts some in between."""
    samples = np.frombuffer(pcm, dtype="<i2")
    return samples[samples != 0].tobytes()


def helped(program: Program, kept: Path) -> bool:
    """Whether the speaker's file holds the help line, whole."""
    with wave.open(str(program.folder / "out.wav")) as file:
        assert file.getframerate() == RATE
        heard = sound(file.readframes(file.getnframes()))
    line = sound(lines_kept(kept).pcm)
    return bool(line) and line in heard


async def test_a_server_killed_after_danger_leaves_the_help_line(
    program: Program, server: Server, kept: Path
) -> None:
    said = saying(program, DANGER["high"])
    client = await program.start("--server", server.address, "--microphone", said, *FILES)
    await seen(program, "risk", level="high")
    killed_at = server.send(signal.SIGKILL)
    lost = await seen(program, "server_lost")
    assert time.monotonic() - killed_at < 2.0
    out, err = (part.decode() for part in await client.communicate())
    assert client.returncode == 1
    assert lost["level"] == "high"
    assert helped(program, kept)
    (played,) = program.events("help_line_played")
    line = lines_kept(kept)
    assert played["cause"] == "server_lost"
    assert played["seconds"] == pytest.approx(len(line.pcm) / 2 / RATE, abs=1e-3)
    assert out.splitlines()[-2:] == [
        "The connection to the server is lost.",
        f"TADBot: {line.text}",
    ]
    assert err.count("\n") == 1
    assert "went away" in err


async def test_a_server_killed_without_danger_leaves_the_name_of_the_key(
    program: Program, server: Server, kept: Path
) -> None:
    said = saying(program, "I had a good day")
    client = await program.start("--server", server.address, "--microphone", said, *FILES)
    await seen(program, "reply_text", turn=1)
    killed_at = server.send(signal.SIGKILL)
    await seen(program, "server_lost")
    assert time.monotonic() - killed_at < 2.0
    out, err = (part.decode() for part in await client.communicate())
    assert client.returncode == 1
    assert program.events("help_line_played") == []
    assert not helped(program, kept)
    assert out.splitlines()[-2:] == [
        "The connection to the server is lost.",
        f"For the help line, {HOW}.",
    ]
    assert err.count("\n") == 1


@pytest.mark.parametrize("press", [b"h\n", b"help\n", signal.SIGUSR1])
async def test_the_key_plays_the_help_line_while_the_server_stands_still(
    program: Program, server: Server, kept: Path, press: Any
) -> None:
    said = saying(program, "I had a good day")
    client = await program.start(
        *("--server", server.address, "--microphone", said, *FILES), stdin=asyncio.subprocess.PIPE
    )
    assert client.stdin is not None
    await seen(program, "reply_audio", turn=1)
    server.send(signal.SIGSTOP)
    if isinstance(press, bytes):
        client.stdin.write(press)
    else:
        client.send_signal(press)
    played = await seen(program, "help_line_played")
    await asyncio.sleep(played["seconds"] + 0.5)
    assert helped(program, kept)
    server.send(signal.SIGCONT)
    out, err = (part.decode() for part in await client.communicate())
    assert (client.returncode, err) == (0, "")
    assert played["cause"] == "key"
    assert f"TADBot: {lines_kept(kept).text}" in out.splitlines()
    assert program.events("server_lost") == []


async def test_the_key_stops_the_reply_on_both_sides(program: Program, kept: Path) -> None:
    said = saying(program, "I had a good day")
    script = Script(reply_s=5.0)
    async with serving(script) as address:
        client = await program.start("--server", address, "--microphone", said, *FILES)
        await seen(program, "played", turn=1, finished=False)
        client.send_signal(signal.SIGUSR1)
        await client.communicate()
    assert client.returncode == 0
    assert [one.help_lines_version for one in script.sent("open")] == ["from-before"]
    assert len(script.sent("interrupt")) == 1
    (stopped,) = [one for one in script.sent("played") if one.turn == 1 and one.finished]
    assert 0 < stopped.sample_count < 4 * REPLY_RATE
    (played,) = program.events("help_line_played")
    # It was kept at another rate than this server's.
    assert played["seconds"] == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("stdin", ["null", "ended", "closed"])
async def test_without_a_keyboard_a_talk_is_as_ever(
    program: Program, server: Server, stdin: str
) -> None:
    said = saying(program, "I had a good day")
    options: dict[str, Any] = {
        "null": {"stdin": asyncio.subprocess.DEVNULL},
        "ended": {"stdin": asyncio.subprocess.PIPE},
        "closed": {"preexec_fn": lambda: os.close(0)},
    }[stdin]
    before = os.times()
    client = await program.start(
        "--server", server.address, "--microphone", said, *FILES, **options
    )
    if client.stdin is not None:
        client.stdin.close()
    await seen(program, "reply_text", turn=1)
    _, err = await client.communicate()
    after = os.times()
    assert (client.returncode, err) == (0, b"")
    # An end of input that is read for ever would take a whole core.
    used_s = after.children_user + after.children_system
    used_s -= before.children_user + before.children_system
    assert used_s < (after.elapsed - before.elapsed) * 0.7


async def test_a_server_that_stands_still_for_good_is_lost_too(
    program: Program, server: Server, kept: Path
) -> None:
    said = saying(program, DANGER["high"])
    client = await program.start("--server", server.address, "--microphone", said, *FILES)
    await seen(program, "risk", level="high")
    server.send(signal.SIGSTOP)
    _, err = await client.communicate()
    assert client.returncode == 1
    assert err.count(b"\n") == 1
    assert len(program.events("server_lost")) == 1
    assert helped(program, kept)
