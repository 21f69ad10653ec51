"""A house for the acceptance tests: the real commands with the real small models."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from server.config import Settings
from server.engines import Samples
from server.engines.loading import load_engine
from server.sound import write_wav

BIN = Path(sys.executable).parent
SILENCE_DBFS = 1e-4
"""RMS of the room's noise: a digital silence would be easier than any room."""


@dataclass(frozen=True)
class House:
    """A running server."""

    address: str
    data: Path
    process: "subprocess.Popen[str]"

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Asks the log as a person would."""
        command = [str(BIN / "tadbot-server"), "sql", "--json", "--data-dir", str(self.data), query]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return rows


@contextmanager
def served(data: Path, *words: str) -> Iterator[House]:
    """Runs `tadbot-server serve` on a free port."""
    command = [str(BIN / "tadbot-server"), "serve", "--listen", "127.0.0.1:0"]
    log = (data.parent / "server.log").open("w")
    process = subprocess.Popen(
        [*command, "--data-dir", str(data), *words],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "serving" in line, Path(log.name).read_text()
        yield House(line.split()[-1], data, process)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
        log.close()


@dataclass(frozen=True)
class Talk:
    """What came of a talk."""

    events: list[dict[str, Any]]
    speaker: Path
    stdout: str

    def of(self, event: str) -> list[dict[str, Any]]:
        """The events of one kind, in order."""
        return [one for one in self.events if one["event"] == event]

    @property
    def words(self) -> str:
        """All final transcripts, joined."""
        return " ".join(one["text"] for one in self.of("transcript") if one["final"])

    def reply(self, turn: int) -> str:
        """The text of a turn's reply."""
        return "".join(one["text"] for one in self.of("reply_text") if one["turn"] == turn)


def talk(where: list[str], microphone: Path, out: Path, *words: str, timeout: int = 110) -> Talk:
    """Runs `tadbot-pi` with file devices. where: its --server or --standalone."""
    speaker, events = out / f"{microphone.stem}-reply.wav", out / f"{microphone.stem}.jsonl"
    command = [str(BIN / "tadbot-pi"), *where, "--microphone", str(microphone)]
    command += ["--speaker", str(speaker), "--events", str(events), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in events.read_text().splitlines()]
    return Talk(rows, speaker, done.stdout)


def processes_of(marker: str) -> list[psutil.Process]:
    """Finds the processes whose command line holds a marker, and their children."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter(["cmdline"]):
        if marker in " ".join(process.info["cmdline"] or []):
            for one in (process, *process.children(recursive=True)):
                found[one.pid] = one
    return list(found.values())


async def spoken(text: str, voice: str = "deep") -> tuple[Samples, int]:
    """Speaks a text; gives samples and their rate."""
    engine = load_engine("tts", Settings())
    sounds = [sound async for sound in engine.stream(text, voice)]
    await engine.close()
    return np.concatenate(sounds), engine.sample_rate_hertz


async def recording(file: Path, *parts: str | float) -> Path:
    """Writes a recording of sentences (str) and pauses in seconds (float)."""
    rate = 24_000
    noise = np.random.default_rng(0)
    sounds: list[Samples] = []
    for part in parts:
        if isinstance(part, str):
            sound, rate = await spoken(part)
            sounds.append(sound)
        else:
            count = round(part * rate)
            sounds.append((noise.standard_normal(count) * SILENCE_DBFS).astype(np.float32))
    write_wav(file, np.concatenate(sounds), rate)
    return file


_NUMBERS = {
    "fifteenth": "15th",
    "forty two": "42",
    "fourteen fifty five": "1455",
}


def plain(text: str) -> str:
    """Writes words in one way: lower case, no punctuation, numbers as digits."""
    words = re.sub(r"[^a-z0-9' ]+", " ", text.lower().replace("’", "'"))
    words = re.sub(r"\s+", " ", words).strip()
    for spelt, digits in _NUMBERS.items():
        words = words.replace(spelt, digits)
    return words
