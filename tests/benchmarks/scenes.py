"""What a person says in the benchmark of turn-taking, as sounds; it knows nobody who hears them."""

import json
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import samplerate

from server.config import Settings
from server.engines import SAMPLE_RATE_HERTZ, Samples
from server.engines.loading import load_engine
from server.sound import read_sound

SENTENCES = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8"))
FRAME = SAMPLE_RATE_HERTZ // 100
"""Samples (10 ms) by which it is judged where a voice begins and ends."""
VOICED_DB = 35.0
"""Below the level that a tenth of the frames exceed: what lies deeper is no voice."""
SPEECH_DBFS = -24.0
"""The level that a tenth of the frames exceed, of everybody who speaks: an arm's length away."""
FADE = SAMPLE_RATE_HERTZ // 200
"""Samples (5 ms) over which sound fades at a cut, so that it does not click."""


@dataclass(frozen=True)
class Clip:
    """One thing that is said, clean. Places are samples at SAMPLE_RATE_HERTZ."""

    name: str
    text: str
    """What is said; "" for sounds that are no words."""
    samples: Samples
    first_voiced: int
    last_voiced: int
    """Sample after the last voiced one."""

    @property
    def cut(self) -> Samples:
        """The sound without the silence around it, as a person with scissors would cut it."""
        begin = max(0, self.first_voiced - SAMPLE_RATE_HERTZ // 10)
        return self.samples[begin : self.last_voiced + SAMPLE_RATE_HERTZ // 5]


def clip(name: str, text: str, samples: Samples, level_dbfs: float = SPEECH_DBFS) -> Clip:
    """Brings a sound to a level and finds where its voice begins and ends."""
    levels = _levels_db(samples)
    loud = float(np.quantile(levels, 0.9))
    voiced = np.flatnonzero(levels > loud - VOICED_DB)
    scaled = samples * np.float32(10 ** ((level_dbfs - loud) / 20))
    return Clip(
        name,
        text,
        np.clip(scaled, -1, 1).astype(np.float32),
        int(voiced[0]) * FRAME,
        (int(voiced[-1]) + 1) * FRAME,
    )


def _levels_db(samples: Samples) -> Samples:
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    return np.asarray(10 * np.log10(frames.var(axis=1) + 1e-12), dtype=np.float32)


async def spoken(
    texts: Sequence[str], voice: str = "deep", paces: Sequence[float] = (1.0,)
) -> list[Clip]:
    """Has the project's own voice say texts; gives all texts at the first pace, and so on.

    paces: how much faster, and higher, each is played: the engine says a text always the same way.
    """
    engine = load_engine("tts", Settings())
    rate = SAMPLE_RATE_HERTZ / engine.sample_rate_hertz
    sounds = [np.concatenate([part async for part in engine.stream(text, voice)]) for text in texts]
    await engine.close()
    return [
        clip(
            f"{voice}: {text}",
            text,
            np.asarray(samplerate.resample(sound, rate / pace, "sinc_best"), dtype=np.float32),
        )
        for pace in paces
        for text, sound in zip(texts, sounds, strict=True)
    ]


def speech_folder() -> Path | None:
    """The folder that TADBOT_TEST_SPEECH names; None: it names none."""
    named = os.environ.get("TADBOT_TEST_SPEECH")
    return Path(named) if named else None


def recordings(folder: Path) -> list[Clip]:
    """Reads the recordings of a folder with their `transcripts.json`."""
    transcripts: dict[str, str] = json.loads((folder / "transcripts.json").read_text())
    clips = [
        clip(name, text, read_sound(folder / name, SAMPLE_RATE_HERTZ))
        for name, text in sorted(transcripts.items())
    ]
    ends_s: dict[str, float] = SENTENCES["ends"]
    return [
        replace(one, last_voiced=round(ends_s[one.name] * SAMPLE_RATE_HERTZ))
        if one.name in ends_s
        else one
        for one in clips
    ]


def silence(seconds: float) -> Samples:
    """Gives nothing, for so long."""
    return np.zeros(round(seconds * SAMPLE_RATE_HERTZ), dtype=np.float32)


def joined(name: str, *parts: "Clip | float | Samples") -> Clip:
    """Joins what is said, pauses in seconds, and other sounds, into one utterance."""
    sounds: list[Samples] = []
    first: int | None = None
    last, count, words = 0, 0, []
    for part in parts:
        sound = silence(part) if isinstance(part, float) else part
        if isinstance(sound, Clip):
            first = count + sound.first_voiced if first is None else first
            last = count + sound.last_voiced
            words.append(sound.text)
            # Pauses are counted from voice to voice.
            sound = sound.samples[: sound.last_voiced]
        sounds.append(sound)
        count += len(sound)
    return Clip(name, " ".join(words), np.concatenate(sounds), first or 0, last)


def paused(one: Clip, at: int, pause_s: float, filled: Samples | None = None) -> Clip:
    """Cuts a pause into an utterance at a sample. filled: a sound in the middle of it."""
    gap = silence(pause_s)
    if filled is not None:
        begin = (len(gap) - len(filled)) // 2
        gap[begin : begin + len(filled)] = filled
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    before, after = one.samples[:at].copy(), one.samples[at:].copy()
    before[-FADE:] *= ramp[::-1]
    after[:FADE] *= ramp
    return replace(
        one,
        samples=np.concatenate([before, gap, after]),
        last_voiced=one.last_voiced + len(gap),
    )
