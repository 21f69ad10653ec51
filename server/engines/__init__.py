"""The seams to the models, as Protocols; it does not know any library.

An adapter is one file, `<seam>_<engine>.py`. It imports its Protocol's types from here and
its library inside itself, and is constructed from its section of the settings. Every method
that computes runs in the adapter's own worker thread, so that the event loop never waits.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
"""Sound: shape (n,), mono, in [-1, 1]."""
Picture = npt.NDArray[np.uint8]
"""A still picture: shape (height, width, 3), RGB."""
Vectors = npt.NDArray[np.float32]
"""Embeddings: shape (texts, dimensions), each row of length 1."""

SAMPLE_RATE_HERTZ = 16_000
"""Sound that is heard has this rate everywhere in the server."""
VOICE_WINDOW = 512
"""Samples that voice activity judges at a time: 32 ms, what Silero was trained on."""
LABELS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")
"""RAF-DB's seven emotions, in the order of `tadbot.v1.Emotion.Label` (which begins at 1)."""


@dataclass(frozen=True)
class Description:
    """What an engine says of itself, for the log and for `Describe`."""

    name: str
    model: str
    device: str


class Engine(Protocol):
    """What all engines share."""

    def describe(self) -> Description:
        """Names the engine, its model and the device it runs on."""
        ...

    async def warm_up(self) -> None:
        """Runs the model once, so that the first person does not wait for it.

        Raises EngineError if the model does not work at all.
        """
        ...

    async def close(self) -> None:
        """Frees the model and its thread; closing again is not an error."""
        ...


class VoiceTrack(Protocol):
    """The voice activity of one person's sound, in order."""

    async def feed(self, samples: Samples) -> list[float]:
        """Judges every whole window of VOICE_WINDOW samples; keeps the rest for the next call.

        Returns the probability of speech of each window, in [0, 1], oldest first.
        """
        ...


class VoiceActivity(Engine, Protocol):
    """Tells speech from the rest."""

    def open(self) -> VoiceTrack:
        """Begins a new stream of sound with an empty state."""
        ...


@dataclass(frozen=True)
class Heard:
    """The words of an utterance. `text` is "" where no words were found."""

    text: str
    language: str = ""
    """ISO 639-1 code; "" where the engine does not say."""
    ends: float | None = None
    """Probability that the sentence ends with these words, by the full stop or question mark
    that the engine would write; None where it does not say."""
    goes_on: float = 0.0
    """Probability that they are followed by a comma: a phrase ends, and the sentence goes on."""
    certainty: float | None = None
    """Geometric mean of the probabilities of what was heard; None where it does not say."""


class Recognition(Protocol):
    """One utterance on its way to text; fits batch and streaming recognisers."""

    async def feed(self, samples: Samples) -> str:
        """Takes the next sound at SAMPLE_RATE_HERTZ.

        Returns the words so far, or "" from an engine that has no partials.
        """
        ...

    async def settle(self) -> Heard:
        """Turns all that was fed into text. More may be fed, and settled again, afterwards.

        Raises EngineError if the model fails; the model stays usable.
        """
        ...


class SpeechToText(Engine, Protocol):
    """Hears words."""

    def open(self, language: str = "") -> Recognition:
        """Begins an utterance. language: ISO 639-1 code; "": the engine's setting."""
        ...


@dataclass(frozen=True)
class Score:
    """How probable one of LABELS is, in [0, 1]; the seven sum to 1."""

    label: str
    probability: float


class EmotionRecognizer(Engine, Protocol):
    """Sees the feeling on a face."""

    async def recognize(self, picture: Picture, *, cropped: bool = False) -> list[Score]:
        """Judges the largest face in a picture.

        cropped: the picture is one face already; detection and alignment are skipped.
        Returns the three most probable labels, best first; [] where there is no face.
        Raises EngineError if the model fails.
        """
        ...


@dataclass(frozen=True)
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Generation:
    """How a reply is to be generated."""

    max_tokens: int = 120
    temperature: float = 0.7
    """0 is greedy."""
    seed: int | None = None


@dataclass
class Usage:
    """What a prompt cost, filled in while its reply comes; None where the model does not tell."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    """Of these, how many were kept from an earlier prompt that began the same."""


class LanguageModel(Engine, Protocol):
    """Finds words."""

    def stream(
        self, messages: Sequence[Message], generation: Generation, usage: Usage | None = None
    ) -> AsyncGenerator[str, None]:
        """Generates a reply, piece by piece; closing the iterator stops the model.

        usage: is told what the prompt cost. Raises EngineError if the model fails.
        """
        ...

    async def prefill(self, messages: Sequence[Message]) -> None:
        """Reads the beginning of a chat ahead of its end, so that the reply begins sooner.

        An engine that keeps no beginnings does nothing. Raises EngineError if the model fails.
        """
        ...


class TextToSpeech(Engine, Protocol):
    """Speaks."""

    @property
    def sample_rate_hertz(self) -> int:
        """Rate of all the sound that it makes."""
        ...

    def stream(self, text: str, voice: str = "") -> AsyncGenerator[Samples, None]:
        """Speaks one clause or more; closing the iterator stops the model.

        voice: a name that the engine knows; "": the one of the settings.
        Raises EngineError if the model fails, VoiceUnknownError for a voice it has not.
        """
        ...


class Embedder(Engine, Protocol):
    """Turns meaning into numbers."""

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        ...

    async def embed(self, texts: Sequence[str], kind: Literal["query", "passage"]) -> Vectors:
        """Embeds texts: what is looked for (query) or what is kept (passage).

        Returns shape (len(texts), dimensions). Raises EngineError if the model fails.
        """
        ...


@dataclass(frozen=True)
class Engines:
    """The models of one server, shared by all its conversations.

    `emotion`, `embedder` and `danger` may be absent: nothing is seen, nothing is recalled by
    meaning, danger is noticed by patterns alone.
    """

    voice_activity: VoiceActivity
    stt: SpeechToText
    emotion: EmotionRecognizer | None
    llm: LanguageModel
    tts: TextToSpeech
    embedder: Embedder | None
    danger: Embedder | None = None
    """Gives the vectors that the classifier of danger reads."""

    def all(self) -> list[Engine]:
        """Lists the engines that are there."""
        every: list[Any] = [
            self.voice_activity,
            self.stt,
            self.emotion,
            self.llm,
            self.tts,
            self.embedder,
            self.danger,
        ]
        return [engine for engine in every if engine is not None]
