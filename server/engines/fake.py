"""Engines that work without weights, instantly and always the same; they know no library.

Their speech is a row of tones, one a character, so that what FakeTextToSpeech says
FakeSpeechToText hears: a talk between files needs no model. For tests, never for claims.
"""

import hashlib
from collections.abc import AsyncGenerator, Sequence
from typing import Literal

import numpy as np

from server.engines import (
    LABELS,
    SAMPLE_RATE_HERTZ,
    VOICE_WINDOW,
    Description,
    Generation,
    Heard,
    Message,
    Picture,
    Samples,
    Score,
    Usage,
    Vectors,
)

TONE_SAMPLES = 320
"""Length of a character's tone: 20 ms, so that its spectrum has lines 50 Hz apart."""
FIRST_BIN = 10
"""Spectral line of the first character, a space: 500 Hz."""
ALPHABET = "".join(chr(code) for code in range(32, 127))
LEVEL = 0.5
SILENCE = 0.02
"""Sound below this peak is silence to the fakes."""


class _Fake:
    """What all fakes share."""

    def describe(self) -> Description:
        """Names the fake."""
        return Description("fake", "", "cpu")

    async def warm_up(self) -> None:
        """Needs no warming."""

    async def close(self) -> None:
        """Holds nothing."""


def speak_tones(text: str) -> Samples:
    """Turns text into tones at SAMPLE_RATE_HERTZ; characters outside ASCII become "?"."""
    phase = 2 * np.pi * np.arange(TONE_SAMPLES) / TONE_SAMPLES
    tones = []
    for character in text:
        place = ALPHABET.find(character)
        tones.append(np.cos(phase * (FIRST_BIN + (place if place >= 0 else ALPHABET.index("?")))))
    return (LEVEL * np.concatenate(tones)).astype(np.float32) if tones else np.zeros(0, np.float32)


def hear_tones(samples: Samples) -> str:
    """Turns tones back into text; stretches of silence become nothing."""
    reader = _ToneReader()
    reader.feed(samples)
    return reader.text.strip()


class _ToneReader:
    """Reads tones piece by piece, each sample once, so that long speech costs no more."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.float32)
        self._in_speech = False
        self.text = ""

    def feed(self, samples: Samples) -> None:
        sound = np.concatenate([self._rest, samples])
        loud = np.flatnonzero(np.abs(sound) > SILENCE)
        position = 0
        while position + TONE_SAMPLES <= len(sound):
            place = int(np.searchsorted(loud, position))
            if place == len(loud):
                self._in_speech = False
                position = len(sound)
                break
            # A tone begins at its peak; in mid-speech the next one begins at once.
            if not self._in_speech or loud[place] - position > 4:
                position = int(loud[place])
            window = sound[position : position + TONE_SAMPLES]
            if len(window) < TONE_SAMPLES:
                break
            line = int(np.argmax(np.abs(np.fft.rfft(window)))) - FIRST_BIN
            self.text += ALPHABET[line] if 0 <= line < len(ALPHABET) else "?"
            self._in_speech = True
            position += TONE_SAMPLES
        self._rest = sound[position:]


class FakeVoiceTrack:
    """Calls every loud window speech."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.float32)

    async def feed(self, samples: Samples) -> list[float]:
        """Judges every whole window by its peak."""
        sound = np.concatenate([self._rest, samples])
        windows = len(sound) // VOICE_WINDOW
        self._rest = sound[windows * VOICE_WINDOW :]
        peaks = np.abs(sound[: windows * VOICE_WINDOW].reshape(windows, VOICE_WINDOW)).max(axis=1)
        return [float(peak > SILENCE) for peak in peaks]


class FakeVoiceActivity(_Fake):
    """Voice activity by level."""

    def open(self) -> FakeVoiceTrack:
        """Begins a new stream of sound."""
        return FakeVoiceTrack()


class FakeRecognition:
    """Hears one utterance of tones, with partials."""

    def __init__(self) -> None:
        self._reader = _ToneReader()

    async def feed(self, samples: Samples) -> str:
        """Returns the words so far."""
        self._reader.feed(samples)
        return self._reader.text.strip()

    async def settle(self) -> Heard:
        """Hears all that was fed."""
        return Heard(self._reader.text.strip(), "en")


class FakeSpeechToText(_Fake):
    """Hears tones."""

    def open(self, language: str = "") -> FakeRecognition:
        """Begins an utterance."""
        return FakeRecognition()


class FakeEmotionRecognizer(_Fake):
    """Sees a feeling in the colour of a picture: red anger, green happiness, blue sadness."""

    async def recognize(self, picture: Picture, *, cropped: bool = False) -> list[Score]:
        """Judges by the strongest colour; [] for a dark picture, neutral for a grey one."""
        mean = picture.reshape(-1, 3).mean(axis=0)
        if mean.max() < 16 and not cropped:
            return []
        label = "neutral"
        if mean.max() - mean.min() > 16:
            label = ("anger", "happiness", "sadness")[int(mean.argmax())]
        others = [other for other in LABELS if other != label]
        return [Score(label, 0.7), Score(others[0], 0.1), Score(others[1], 0.04)]


class FakeLanguageModel(_Fake):
    """Says back what the person said, in two sentences."""

    async def stream(
        self, messages: Sequence[Message], generation: Generation, usage: Usage | None = None
    ) -> AsyncGenerator[str, None]:
        """Generates the same reply to the same words, a word at a time."""
        said = next((one.content for one in reversed(messages) if one.role == "user"), "")
        last = said.strip().splitlines()[-1] if said.strip() else "nothing"
        words = f"You said: {last.rstrip('.?!')}. How does that feel?".split(" ")
        for place, word in enumerate(words[: generation.max_tokens]):
            yield word if place == 0 else f" {word}"

    async def prefill(self, messages: Sequence[Message]) -> None:
        """Keeps nothing."""


class FakeTextToSpeech(_Fake):
    """Speaks tones."""

    @property
    def sample_rate_hertz(self) -> int:
        """The rate that the fakes hear, so that tones need no resampling."""
        return SAMPLE_RATE_HERTZ

    async def stream(self, text: str, voice: str = "") -> AsyncGenerator[Samples, None]:
        """Speaks a text in one piece."""
        if text.strip():
            yield speak_tones(text.strip())


class FakeEmbedder(_Fake):
    """Finds texts near that share words."""

    @property
    def dimensions(self) -> int:
        """As many as the default embedder has."""
        return 384

    async def embed(self, texts: Sequence[str], kind: Literal["query", "passage"]) -> Vectors:
        """Adds up one fixed random direction a word."""
        return np.stack([self._embed(text) for text in texts]).astype(np.float32)

    def _embed(self, text: str) -> Vectors:
        total = np.full(self.dimensions, 1e-3)
        for word in text.lower().split():
            seed = int.from_bytes(hashlib.sha256(word.strip(".,?!").encode()).digest()[:8])
            total += np.random.default_rng(seed).standard_normal(self.dimensions)
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)
