"""How a talk breathes: `make bench BENCH=turn_taking`.

First sound after the last word, patience in pauses, interruption and what is none; the real server
with the real client, in real time, in a simulated room. The baseline of the first sound is the same
models called one after another ("the floor") and a plain design of them, in the same run. The
recordings are those of the folder that TADBOT_TEST_SPEECH names. It takes about 35 minutes.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tests.acceptance.house import BIN
from tests.benchmarks import floor, marks, others, parts, scenes, telling
from tests.benchmarks.found import Found
from tests.benchmarks.marks import Place
from tests.benchmarks.scenes import Clip
from tests.benchmarks.talking import stage, told_today

PARTS = ("clean", "pauses", "barge_in", "backchannels", "others", "busy")
SENTENCES = 15
"""Of the second voice, beside the recordings, that are answered in the part `clean`."""
BUSY_CLIPS = 6
WORDS_VOICE = "heart"
"""A voice that says all sentences once more, where only words are counted."""
WORDS_PAUSE_S = 1.5
"""Pause in a sentence across which its words are compared with what the full window hears."""


class Benchmark:
    """One run. chosen: which of PARTS. most: cases a part; None: all."""

    def __init__(self, chosen: Sequence[str], most: int | None, folder: Path) -> None:
        self._chosen = chosen
        self._most = most
        self._folder = folder
        self._clips: list[Clip] = []
        self._recorded: list[Clip] = []
        self._sentences: list[Clip] = []
        self._places: list[Place] = []
        self.found = Found()

    async def run(self, speech: Path) -> Found:
        """Plays all parts."""
        with self._timed("sounds"):
            self._recorded = recorded = scenes.recordings(speech)
            self._sentences = await scenes.spoken(marks.spoken_texts())
            # In turns, so that a short try plays both.
            both = zip_longest(recorded, self._sentences[:SENTENCES])
            self._clips = [one for pair in both for one in pair if one is not None][: self._most]
            if {"pauses", "others"} & set(self._chosen):
                self._places = marks.places([*recorded, *self._sentences])
        await self._directly("floor before")
        await self._ahead()
        if {"clean", "busy"} & set(self._chosen):
            await self._waiting()
        await self._directly("floor after")
        await self._words()
        return self.found

    async def _directly(self, name: str) -> None:
        if "clean" in self._chosen:
            with self._timed(name):
                self.found.direct += await floor.measure(self._clips)

    async def _words(self) -> None:
        """Counts word errors: with the short window against the full one, and in pauses."""
        found = self.found
        with self._timed("word errors"):
            if "clean" in self._chosen:
                others = await scenes.spoken(marks.spoken_texts(), WORDS_VOICE)
                clips = [*self._recorded, *self._sentences, *others]
                short = await floor.heard(clips, short_window=True)
                full = await floor.heard(clips, short_window=False)
                found.errors = floor.word_errors(clips, short), floor.word_errors(clips, full)
            if turns := [one for one in found.pauses if one.pause_s == WORDS_PAUSE_S]:
                paused = [one.clip for one in turns]
                full = await floor.heard(paused, short_window=False)
                heard = [one.words for one in turns]
                found.errors_paused = (
                    floor.word_errors(paused, heard),
                    floor.word_errors(paused, full),
                )

    async def _ahead(self) -> None:
        found, most = self.found, self._most
        with stage(self._folder / "ahead", ahead=True) as one:
            plays: dict[str, Callable[[], Awaitable[Any]]] = {
                "clean": lambda: parts.clean(one, self._clips),
                "pauses": lambda: parts.pauses(one, self._places, most),
                "barge_in": lambda: parts.barge_in(one, most),
                "backchannels": lambda: parts.backchannels(one, most),
                "others": lambda: others.others(one, self._places, most),
                "busy": lambda: others.busy(one, self._for_busy),
            }
            await parts.clean(one, self._sentences[:1], "warm-up")
            for name in PARTS:
                if name in self._chosen:
                    with self._timed(name):
                        setattr(found, name, await plays[name]())
            found.peak_mib = one.peak_mib

    async def _waiting(self) -> None:
        with stage(self._folder / "waiting", ahead=False) as one:
            await parts.clean(one, self._sentences[:1], "warm-up")
            if "clean" in self._chosen:
                with self._timed("clean, ahead off"):
                    self.found.waiting = await parts.clean(one, self._clips)
            if "busy" in self._chosen:
                with self._timed("busy, ahead off"):
                    self.found.busy_waiting = await others.busy(one, self._for_busy)

    @property
    def _for_busy(self) -> list[Clip]:
        return self._sentences[: min(BUSY_CLIPS, self._most or BUSY_CLIPS)]

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        print(f"{name}:", flush=True)
        begin = time.monotonic()
        yield
        self.found.took_s[name] = time.monotonic() - begin
        print(f"{name} took {self.found.took_s[name]:.0f} s", flush=True)


def main() -> int:
    """Runs the benchmark, reports its figures and prints its table."""
    parser = argparse.ArgumentParser(prog="turn_taking", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), metavar=",".join(PARTS))
    parser.add_argument("--most", type=int, help="cases a part, for a short try")
    words = parser.parse_args()
    chosen = words.only.split(",")
    if unknown := [one for one in chosen if one not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    if (speech := scenes.speech_folder()) is None:
        print("turn_taking is skipped: TADBOT_TEST_SPEECH names no folder of recordings.")
        return 0
    subprocess.run([str(BIN / "tadbot-server"), "models", "pull", "small"], check=True)
    with tempfile.TemporaryDirectory(prefix="tadbot-bench-") as name:
        os.environ["XDG_STATE_HOME"] = str(Path(name) / "state")
        told_today(Path(name) / "state")
        found = asyncio.run(Benchmark(chosen, words.most, Path(name)).run(speech))
    telling.tell(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
