"""Where a speaker may pause: finds the marks of sentences.toml in their sound."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from server import models
from server.config import Settings
from server.engines import SAMPLE_RATE_HERTZ, Samples
from tests.benchmarks.scenes import SENTENCES, Clip

KINDS = {"/": "could end", "|": "incomplete"}
"""What the words before a mark are."""
NEAR = SAMPLE_RATE_HERTZ * 8 // 100
"""Samples (80 ms) around a word's boundary that Whisper's timestamps may be wrong by."""
FAR_DB = 10.0
"""How much quieter a place must be that lies NEAR away from the boundary."""
WINDOW = SAMPLE_RATE_HERTZ // 50
STEP = SAMPLE_RATE_HERTZ // 500


@dataclass(frozen=True)
class Place:
    """A place in an utterance where its speaker may pause."""

    clip: Clip
    at: int
    """Sample."""
    kind: str
    """One of KINDS' values."""


def plain(text: str) -> str:
    """Gives a marked text without its marks."""
    return " ".join(word for word in text.split() if word not in KINDS)


def spoken_texts() -> list[str]:
    """The sentences for the second voice, without marks."""
    return [plain(text) for text in SENTENCES["spoken"]]


def places(clips: Sequence[Clip]) -> list[Place]:
    """Finds all marks in the sounds of the clips that have some, in the clips' order.

    A mark whose words the recogniser did not hear is left out.
    """
    marked = {plain(text): text for text in SENTENCES["spoken"]}
    recorded = SENTENCES["recorded"]
    model = _whisper()
    found = []
    for one in clips:
        text = recorded.get(one.name) or marked.get(one.text)
        if text is not None:
            found += _places_of(one, text, _heard_words(model, one.samples))
    return found


def _whisper() -> Any:
    from faster_whisper import WhisperModel

    settings = Settings()
    path = models.path_of(settings.stt.model, settings.models_dir)
    return WhisperModel(str(path), device="cpu", compute_type=settings.stt.compute_type)


def _heard_words(model: Any, samples: Samples) -> list[tuple[str, int, int]]:
    """Gives each word that is heard, and the samples where it begins and ends."""
    segments, _ = model.transcribe(samples, language="en", beam_size=1, word_timestamps=True)
    return [
        (word.word, round(word.start * SAMPLE_RATE_HERTZ), round(word.end * SAMPLE_RATE_HERTZ))
        for segment in segments
        for word in segment.words
    ]


def _places_of(one: Clip, text: str, heard: list[tuple[str, int, int]]) -> list[Place]:
    words: list[str] = []
    marks: list[tuple[int, str]] = []
    for token in text.split():
        if token in KINDS:
            marks.append((len(words), KINDS[token]))
        else:
            words.append(_letters(token))
    said = [_letters(word) for word, _, _ in heard]
    pairs: dict[int, int] = {}
    for block in SequenceMatcher(None, words, said, autojunk=False).get_matching_blocks():
        pairs |= {block.a + index: block.b + index for index in range(block.size)}
    found = []
    for after, kind in marks:
        before, next_one = pairs.get(after - 1), pairs.get(after)
        edges = [] if before is None else [heard[before][2]]
        edges += [] if next_one is None else [heard[next_one][1]]
        if edges:
            found.append(Place(one, _quietest(one.samples, min(edges), max(edges)), kind))
    return found


def _quietest(samples: Samples, low: int, high: int) -> int:
    """Finds the middle of the quietest 20 ms between two samples, or near them."""

    def noise_db(at: int) -> float:
        power = float(np.square(samples[at : at + WINDOW]).mean())
        middle = at + WINDOW // 2
        outside = max(low - middle, middle - high, 0)
        return float(10 * np.log10(power + 1e-10)) + FAR_DB * outside / NEAR

    starts = range(max(0, low - NEAR), min(high + NEAR, len(samples) - WINDOW), STEP)
    return min(starts, key=noise_db) + WINDOW // 2


def _letters(word: str) -> str:
    return re.sub(r"[^a-z0-9']", "", word.lower())
