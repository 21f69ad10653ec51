"""A server that is killed in the middle of a talk, and the help key, as the person has them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import sound_pb2

from pi_client.help import packed, unpacked
from pi_client.help_key import HOW
from server.engines.fake import hear_tones, speak_tones
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
NUMBERS = "Whom to call: emergency 999, Samaritans 116 123."
LOST_HERTZ, NUMBERS_HERTZ = 200.0, 300.0
"""Lower than all tones of the fake voice: that the server is gone, and whom to call."""
SEEN_S = 20.0


OWN = """[GB]
emergency = "999"
emergency_spoken = "9 9 9"
name = "the line of this house"
number = "0800 11"
spoken = "zero 8 0 0, 1 1"
source = "https://example.org"
verified = ""
children_name = ""
children_number = ""
children_spoken = ""
children_source = ""
children_verified = ""
"""


@dataclass
class Server:
    """`tadbot-server serve`, to be killed."""

    process: "subprocess.Popen[str]"
    address: str

    def send(self, sign: signal.Signals) -> float:
        """Sends a signal; returns when."""
        self.process.send_signal(sign)
        return time.monotonic()


@asynccontextmanager
async def running(folder: Path, *words: str) -> AsyncIterator[Server]:
    command = [sys.executable, "-m", "server", "serve", "--profile", "fake"]
    process = subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0", *words],
        cwd=ROOT,
        env={**os.environ, "XDG_DATA_HOME": str(folder / "data")},
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


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as one:
        yield one


@pytest.fixture(autouse=True)
def kept(program: Program) -> Path:
    """Help lines that an earlier talk left."""
    hertz = np.where(np.arange(RATE * 3 // 4) < RATE // 4, LOST_HERTZ, NUMBERS_HERTZ)
    samples = 8000 * np.sin(2 * np.pi * hertz * (np.arange(RATE * 3 // 4) + 0.3) / RATE)
    lines = pb.HelpLines(
        country="GB",
        text=TEXT,
        pcm=samples.astype("<i2").tobytes(),
        audio_format=sound_pb2.AudioFormat(sample_rate_hertz=RATE),
        version="from-before",
        numbers_first_sample=RATE // 4,
    )
    lines.lines.add(name="emergency", number="999", emergency=True)
    lines.lines.add(name="Samaritans", number="116 123")
    file = program.folder / "state" / "tadbot" / "help-lines.pb"
    file.parent.mkdir(parents=True)
    file.write_bytes(packed(lines))
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
    return unpacked(file.read_bytes())


def sound(pcm: bytes) -> bytes:
    """Sound without its silences: a busy machine puts some in between."""
    samples = np.frombuffer(pcm, dtype="<i2")
    return samples[samples != 0].tobytes()


def helped(program: Program, kept: Path, only_numbers: bool = False) -> bool:
    """Whether the speaker's file holds the help line, whole or from the numbers on."""
    with wave.open(str(program.folder / "out.wav")) as file:
        assert file.getframerate() == RATE
        heard = sound(file.readframes(file.getnframes()))
    first = 2 * lines_kept(kept).numbers_first_sample
    lost, numbers = sound(lines_kept(kept).pcm[:first]), sound(lines_kept(kept).pcm[first:])
    if only_numbers and lost and lost in heard:
        return False
    return bool(numbers) and (b"" if only_numbers else lost) + numbers in heard


async def test_a_server_killed_after_danger_leaves_the_help_line(
    program: Program, server: Server, kept: Path
) -> None:
    said = saying(program, DANGER["high"])
    client = await program.start(
        *("--server", server.address, "--microphone", said, "--country", "GB", *FILES)
    )
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
        f"TADBot: {line.text}",
        f"TADBot: {NUMBERS}",
    ]
    assert out.splitlines()[-3] == "The connection to the server is lost."
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
        f"For the help line, {HOW}; or start `tadbot-pi help-line`.",
    ]
    assert err.count("\n") == 1


@pytest.mark.parametrize("press", [b"h\n", b"help\n", signal.SIGUSR1])
async def test_the_key_plays_the_numbers_while_the_server_stands_still(
    program: Program, server: Server, kept: Path, press: Any
) -> None:
    said = saying(program, "I had a good day")
    client = await program.start(
        *("--server", server.address, "--microphone", said, "--country", "GB", *FILES),
        stdin=asyncio.subprocess.PIPE,
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
    # Nobody knows yet that the server is gone, and it comes back.
    assert helped(program, kept, only_numbers=True)
    server.send(signal.SIGCONT)
    out, err = (part.decode() for part in await client.communicate())
    assert (client.returncode, err) == (0, "")
    assert played["cause"] == "key"
    assert f"TADBot: {NUMBERS}" in out.splitlines()
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
    assert played["seconds"] == pytest.approx(0.5, abs=0.01)


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
    stopped_at = server.send(signal.SIGSTOP)
    await seen(program, "server_lost")
    # Two questions that are left unanswered take 8 s.
    assert time.monotonic() - stopped_at < 10
    _, err = await client.communicate()
    assert client.returncode == 1
    assert b"does not answer any more" in err
    assert err.count(b"\n") == 1
    assert len(program.events("server_lost")) == 1
    assert helped(program, kept)


async def talk(program: Program, server: Server, country: str = "GB") -> list[dict[str, Any]]:
    """Holds a talk without danger; gives the help lines that were sent in it."""
    said = saying(program, "I had a good day")
    ended = await program.run(
        *("--server", server.address, "--microphone", said, "--country", country, *FILES)
    )
    assert (ended.status, ended.err) == (0, "")
    return program.events("help_lines")


async def test_the_help_lines_are_sent_once_and_again_when_they_change(
    program: Program, server: Server, kept: Path
) -> None:
    kept.unlink()
    (sent,) = await talk(program, server)
    first = lines_kept(kept)
    assert (first.version, len(first.pcm)) == (sent["version"], sent["bytes"])
    assert kept.stat().st_mode & 0o077 == 0
    # The word that the server is gone, then the numbers.
    assert hear_tones(as_samples(first.pcm)) == first.text.replace(". If", ".If").replace(
        ". You", ".You"
    )
    assert await talk(program, server) == []
    assert lines_kept(kept) == first
    # A worn card loses a bit: they are sent again.
    kept.write_bytes(kept.read_bytes()[:-1])
    assert len(await talk(program, server)) == 1
    assert lines_kept(kept) == first
    table, config = program.folder / "own.toml", program.folder / "house.toml"
    table.write_text(OWN)
    config.write_text(f'[conversation]\nhelp_lines = "{table}"\n')
    async with running(program.folder, "--config", str(config)) as other:
        assert len(await talk(program, other)) == 1
        assert await talk(program, other) == []
    assert "the line of this house" in lines_kept(kept).text
    assert lines_kept(kept).version != first.version


def as_samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768


async def test_what_was_kept_is_shown_and_said_without_any_server(
    program: Program, kept: Path
) -> None:
    ended = await program.run("help-line", "--speaker", "out.wav")
    assert (ended.status, ended.out, ended.err) == (0, f"{NUMBERS}\n", "")
    assert helped(program, kept, only_numbers=True)
    said = saying(program, "Hello there")
    ended = await program.run("--server", "127.0.0.1:9", "--microphone", said, *FILES)
    assert (ended.status, ended.out) == (1, f"{NUMBERS}\n")
    assert "No server answers" in ended.err
