"""What the whole house costs: `make bench BENCH=house`.

Start, first sound, and the memory and CPU of client, server and standalone, in talks between
files. The baseline of the first sound is the same models called one after another, as their
libraries call them (Whisper with its full window), on the same utterance, already cut, in the
same run; of the start, loading those models alone.
"""

import asyncio
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import psutil

from server import models
from server.config import Settings, load
from server.engines import SAMPLE_RATE_HERTZ, Generation
from server.engines.loading import load_engine
from server.prompt import Situation, messages
from server.sound import read_sound
from tests.acceptance.house import BIN, House, Talk, processes_of, recording, served, talk
from tests.benchmarks.results import report

SENTENCES = (
    "I had a really long day.",
    "My sister Anna moved away last month, and I miss her.",
    "I could not sleep last night.",
    "Work has been hard, and nobody seems to notice.",
    "I went for a walk today, and that was good.",
)
MIB = 2**20


class Meter:
    """Watches processes: peak memory (PSS) together, and CPU seconds."""

    def __init__(self, marker: str) -> None:
        self._marker = marker
        self._over = threading.Event()
        self._cpu: dict[int, float] = {}
        self.peak_mib = 0.0

    @property
    def cpu_s(self) -> float:
        """CPU seconds of all processes seen."""
        return sum(self._cpu.values())

    def watch(self) -> None:
        """Looks twice a second until `stop`."""
        while not self._over.wait(0.5):
            total = 0
            for one in processes_of(self._marker):
                try:
                    total += one.memory_full_info().pss
                    times = one.cpu_times()
                    self._cpu[one.pid] = times.user + times.system
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
            self.peak_mib = max(self.peak_mib, total / MIB)

    def stop(self) -> None:
        """Ends watching."""
        self._over.set()


@contextmanager
def metered(marker: str) -> Iterator[Meter]:
    """Watches the processes whose command line holds a marker."""
    meter = Meter(marker)
    thread = threading.Thread(target=meter.watch)
    thread.start()
    try:
        yield meter
    finally:
        meter.stop()
        thread.join()


async def floor(files: list[Path]) -> list[float]:
    """Seconds from an utterance to its first sound with the models called one after another."""
    settings = load(overrides={"stt": {"short_window": False}})
    stt, llm, tts = (load_engine(seam, settings) for seam in ("stt", "llm", "tts"))
    for engine in (stt, llm, tts):
        await engine.warm_up()
    generation = Generation(settings.llm.max_tokens, 0.0)
    times = []
    for file in [files[0], *files]:
        sound = read_sound(file, SAMPLE_RATE_HERTZ)
        begin = time.perf_counter()
        recognition = stt.open()
        await recognition.feed(sound)
        words = (await recognition.settle()).text
        clause = ""
        async with aclosing(llm.stream(messages(Situation(words)), generation)) as pieces:
            async for piece in pieces:
                clause += piece
                if clause.rstrip().endswith((".", "?", "!")) or len(clause) > 80:
                    break
        async with aclosing(tts.stream(clause)) as sounds:
            await anext(sounds)
        times.append(time.perf_counter() - begin)
    for engine in (stt, llm, tts):
        await engine.close()
    return times[1:]


def first_sounds(done: Talk) -> list[float]:
    """Seconds from the last word to the first sound of every answered turn."""
    return [one["first_sound"] for one in done.of("turn_latency") if one.get("first_sound")]


def median(values: list[float]) -> float:
    """The middle one."""
    return sorted(values)[len(values) // 2]


def measure_start(folder: Path) -> None:
    """From `serve` to the word `serving`, on a database that exists."""
    begin = time.perf_counter()
    settings = Settings()
    for seam in ("stt", "emotion", "llm", "tts", "embedder"):
        engine = load_engine(seam, settings)
        asyncio.run(engine.warm_up())
    models_alone = time.perf_counter() - begin
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        with served(folder / "data"):
            times.append(time.perf_counter() - begin)
    report("house", "serve ready", median(times), "s", models_alone, len(times))


def measure_talk(house: House, microphone: Path, folder: Path, cut: list[Path]) -> None:
    """First sound, CPU and memory of a talk with camera."""
    where = ["--server", house.address, "--camera", str(models.path_of("demo-face"))]
    consents = ["--consent", "camera,memory,emotion-log"]
    begin = time.perf_counter()
    with metered("tadbot-pi") as client, metered(str(folder / "data")) as server:
        done = talk(where, microphone, folder, *consents)
    seconds = time.perf_counter() - begin
    times = first_sounds(done)
    below = asyncio.run(floor(cut))
    report("house", "first sound median", median(times), "s", median(below), len(times))
    report("house", "first sound worst", max(times), "s", max(below), len(times))
    report("house", "client CPU", 100 * client.cpu_s / seconds, "% of a core", None, 1)
    report("house", "client memory", client.peak_mib, "MiB", None, 1)
    report("house", "server CPU a turn", server.cpu_s / len(times), "s", None, len(times))
    report("house", "server memory", server.peak_mib, "MiB", None, 1)


def measure_standalone(microphone: Path, folder: Path) -> None:
    """Peak memory of all processes of --standalone."""
    data = folder / "alone"
    with metered(str(data)) as meter:
        done = talk(["--standalone", "--data-dir", str(data)], microphone, folder)
    report("house", "standalone memory", meter.peak_mib, "MiB", None, 1)
    times = first_sounds(done)
    report("house", "standalone first sound median", median(times), "s", None, len(times))


async def record(folder: Path) -> tuple[Path, list[Path]]:
    """One recording of all sentences with time for answers, and each sentence alone."""
    cut = [await recording(folder / f"{i}.wav", one) for i, one in enumerate(SENTENCES)]
    parts: list[str | float] = [7.5]
    for one in SENTENCES:
        parts += [one, 11.0]
    return await recording(folder / "all.wav", *parts), cut


def main() -> None:
    """Runs all measurements."""
    subprocess.run([str(BIN / "tadbot-server"), "models", "pull", "small"], check=True)
    with tempfile.TemporaryDirectory(prefix="tadbot-bench-") as name:
        folder = Path(name)
        microphone, cut = asyncio.run(record(folder))
        measure_start(folder)
        with served(folder / "data") as house:
            measure_talk(house, microphone, folder, cut)
        measure_standalone(microphone, folder)


if __name__ == "__main__":
    sys.exit(main())
