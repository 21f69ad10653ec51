"""`tadbot-server try`: one stage alone, one JSON line an input; nothing is kept."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np

from server.config import Settings
from server.engines import SAMPLE_RATE_HERTZ, Generation, Samples
from server.engines.loading import load_engine
from server.errors import TadbotError
from server.pictures import load_picture
from server.prompt import Situation, messages
from server.safety import help_lines, help_table, wording
from server.screening import Screening
from server.sound import read_sound, write_wav

log = logging.getLogger("tadbot.try")

PART_S = 30
"""Longer sound is heard in parts, cut where it is quietest in the last third."""


def try_stt(settings: Settings, files: Iterable[Path]) -> int:
    """Prints `{"file","text","seconds"}` for each sound file; seconds: how long it took."""

    async def run() -> int:
        engine = load_engine("stt", settings)
        await engine.warm_up()

        async def one(file: Path) -> dict[str, Any]:
            sound = read_sound(file, SAMPLE_RATE_HERTZ)
            begin = time.perf_counter()
            words = []
            for part in _parts(sound):
                recognition = engine.open()
                await recognition.feed(part)
                words.append((await recognition.settle()).text)
            seconds = round(time.perf_counter() - begin, 3)
            length = round(len(sound) / SAMPLE_RATE_HERTZ, 3)
            text = " ".join(word for word in words if word)
            return {"file": str(file), "text": text, "seconds": seconds, "sound_seconds": length}

        return await _each(files, one)

    return asyncio.run(run())


def try_emotion(settings: Settings, files: Iterable[Path], cropped: bool) -> int:
    """Prints `{"file","emotions","ms"}` for each picture; [] where there is no face."""

    async def run() -> int:
        engine = load_engine("emotion", settings)
        if engine is None:
            raise TadbotError("The settings turn emotion recognition off.")
        await engine.warm_up()

        async def one(file: Path) -> dict[str, Any]:
            picture = load_picture(file)
            begin = time.perf_counter()
            scores = await engine.recognize(picture, cropped=cropped)
            ms = round(1000 * (time.perf_counter() - begin), 2)
            emotions = [
                {"label": score.label, "probability": round(score.probability, 4)}
                for score in scores
            ]
            return {"file": str(file), "emotions": emotions, "ms": ms}

        return await _each(files, one)

    return asyncio.run(run())


def try_safety(settings: Settings, file: Path, country: str) -> int:
    """Prints `{"id","level","reason","say"}` for each line of a JSONL file ("-": stdin)."""
    return asyncio.run(_try_safety(settings, file, country))


async def _try_safety(settings: Settings, file: Path, country: str) -> int:
    lines = help_lines(country, help_table(settings.own_help_lines()))
    screening = Screening(load_engine("danger", settings))
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TadbotError(f"The file {file} cannot be read as text.") from error
    failed = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = _safety_row(line)
        except ValueError as error:
            print(f"Line {number} of {file}: {error}.", file=sys.stderr)
            failed = 1
            continue
        found = await screening.judge(row["text"], row.get("context") or ())
        say = wording(found, lines)
        answer = {"id": row.get("id"), "level": found.level, "reason": found.reason, "say": say}
        print(json.dumps(answer, ensure_ascii=False), flush=True)
    return failed


def _safety_row(line: str) -> dict[str, Any]:
    row = json.loads(line)
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise ValueError('it is not an object with a string "text"')
    context = row.get("context") or []
    if not isinstance(context, list) or not all(isinstance(one, str) for one in context):
        raise ValueError('"context" is not a list of strings')
    return row


def try_llm(settings: Settings, text: str) -> int:
    """Prints `{"text","reply","first_token_seconds","seconds"}`: the model's reply, screened."""

    async def run() -> int:
        engine = load_engine("llm", settings)
        await engine.warm_up()
        begin = time.perf_counter()
        first = None
        pieces = []
        generation = Generation(settings.llm.max_tokens, settings.llm.temperature)
        async with aclosing(engine.stream(messages(Situation(text)), generation)) as stream:
            async for piece in stream:
                first = first or time.perf_counter() - begin
                pieces.append(piece)
        answer = {
            "text": text,
            "reply": "".join(pieces).strip(),
            "first_token_seconds": round(first or 0.0, 3),
            "seconds": round(time.perf_counter() - begin, 3),
        }
        print(json.dumps(answer, ensure_ascii=False), flush=True)
        await engine.close()
        return 0

    return asyncio.run(run())


def try_tts(settings: Settings, text: str, out: Path, voice: str) -> int:
    """Writes a text as a WAV and prints `{"text","file","seconds","sound_seconds"}`."""

    async def run() -> int:
        engine = load_engine("tts", settings)
        await engine.warm_up()
        begin = time.perf_counter()
        sounds: list[Samples] = []
        async with aclosing(engine.stream(text, voice)) as stream:
            async for sound in stream:
                sounds.append(sound)
        if not sounds:
            raise TadbotError("There is nothing to speak in this text.")
        samples = np.concatenate(sounds)
        seconds = round(time.perf_counter() - begin, 3)
        write_wav(out, samples, engine.sample_rate_hertz)
        answer = {
            "text": text,
            "file": str(out),
            "seconds": seconds,
            "sound_seconds": round(len(samples) / engine.sample_rate_hertz, 3),
        }
        print(json.dumps(answer, ensure_ascii=False), flush=True)
        await engine.close()
        return 0

    return asyncio.run(run())


async def _each(files: Iterable[Path], one: Callable[[Path], Awaitable[dict[str, Any]]]) -> int:
    """Prints a line for each file; one that fails is told of and does not stop the rest."""
    failed = 0
    for file in files:
        try:
            print(json.dumps(await one(file), ensure_ascii=False), flush=True)
        except TadbotError as error:
            print(f"{file}: {error}", file=sys.stderr)
            failed = 1
    return failed


def _parts(sound: Samples) -> list[Samples]:
    longest = PART_S * SAMPLE_RATE_HERTZ
    parts = []
    while len(sound) > longest:
        last_third = sound[longest * 2 // 3 : longest]
        step = SAMPLE_RATE_HERTZ // 10
        blocks = last_third[: len(last_third) // step * step].reshape(-1, step)
        quietest = int((blocks**2).mean(axis=1).argmin())
        cut = longest * 2 // 3 + quietest * step + step // 2
        parts.append(sound[:cut])
        sound = sound[cut:]
    return [*parts, sound]
