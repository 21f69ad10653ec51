"""Hearing by Whisper in CTranslate2 (faster-whisper); a batch recogniser without partials.

Whisper was trained on windows of 30 s, and most of its time goes into encoding them. A
multilingual model also reads a window as long as the utterance, in a third of the time; now
and then it falls into a loop there, which gives itself away and is heard again in full.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from server.engines import SAMPLE_RATE_HERTZ, Description, Heard, Samples
from server.engines.worker import Worker
from server.errors import EngineError

TEMPERATURES = (0.0, 0.4, 0.8)
"""Greedy first; warmer where the words loop or the model is unsure (faster-whisper's own
thresholds: compression ratio 2.4, mean log probability -1)."""
FRAMES_PER_SECOND = 100
FULL_WINDOW = 3_000
"""Frames of the window that Whisper was trained on: 30 s."""
SHORTEST_WINDOW = 500
"""Frames (5 s): below, more utterances break."""
WINDOW_MARGIN = 50
"""Frames (0.5 s) of silence after the utterance."""
TOKENS_PER_SECOND = 6
"""Tokens that speech can have; more are a loop. Speech has 2 to 4."""
SPARE_TOKENS = 12
MOST_REPEATS = 3
"""Three words in a row, heard this often in one utterance, are a loop."""
UNSURE = -1.0
"""Mean log probability below which an utterance is heard again (faster-whisper's own)."""
NO_SPEECH = 0.6
"""Probability from which an utterance that is unsure as well is no speech (likewise)."""
SHORTEST = SAMPLE_RATE_HERTZ // 10
"""Sound under 0.1 s holds no word."""


class WhisperRecognition:
    """One utterance, collected until it is settled."""

    def __init__(self, engine: "FasterWhisper", language: str) -> None:
        self._engine = engine
        self._language = language
        self._sound: list[Samples] = []

    async def feed(self, samples: Samples) -> str:
        """Collects sound; there are no partials."""
        self._sound.append(samples)
        return ""

    async def settle(self) -> Heard:
        """Hears all that was fed, in the engine's thread."""
        sound = np.concatenate(self._sound) if self._sound else np.zeros(0, np.float32)
        if len(sound) < SHORTEST:
            return Heard("")
        return await self._engine.hear(sound, self._language)


class FasterWhisper:
    """A Whisper model; one utterance at a time."""

    def __init__(
        self,
        model: Path,
        device: str,
        compute_type: str,
        language: str,
        threads: int,
        short_window: bool = True,
    ) -> None:
        """short_window: read windows as long as the utterance, where the model stands it."""
        from faster_whisper import WhisperModel

        self._name = model.name
        self._device = device
        self._language = language
        self._multilingual = not model.name.endswith(".en")
        self._short_window = short_window and self._multilingual
        self._worker = Worker("stt")
        try:
            self._model: Any = WhisperModel(
                str(model), device=device, compute_type=compute_type, cpu_threads=threads
            )
        except Exception as error:
            raise EngineError(f"The Whisper model {model} cannot be loaded: {error}.") from error

    def describe(self) -> Description:
        """Names the model."""
        return Description("faster_whisper", self._name, self._device)

    def open(self, language: str = "") -> WhisperRecognition:
        """Begins an utterance."""
        return WhisperRecognition(self, language or self._language)

    async def hear(self, sound: Samples, language: str) -> Heard:
        """Turns an utterance into text; what is no speech to Whisper becomes ""."""
        return await self._worker.run(self._hear, sound, language)

    def _hear(self, sound: Samples, language: str) -> Heard:
        try:
            if self._short_window and language:
                words = self._hear_short(sound, language)
                if words is not None:
                    return Heard(words, language)
            return self._hear_in_full(sound, language)
        except Exception as error:
            raise EngineError("Whisper failed on this utterance.") from error

    def _hear_in_full(self, sound: Samples, language: str) -> Heard:
        spoken = language if self._multilingual else "en"
        segments, info = self._model.transcribe(
            sound,
            language=spoken or None,
            beam_size=1,
            temperature=TEMPERATURES,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        text = " ".join(segment.text.strip() for segment in segments)
        return Heard(text.strip(), str(info.language))

    def _hear_short(self, sound: Samples, language: str) -> str | None:
        """Hears with a window as long as the utterance; None: hear it again in full."""
        from faster_whisper.audio import pad_or_trim
        from faster_whisper.tokenizer import Tokenizer

        features = self._model.feature_extractor(sound)
        window = max(SHORTEST_WINDOW, features.shape[-1] + WINDOW_MARGIN)
        if window >= FULL_WINDOW:
            return None
        tokenizer = Tokenizer(self._model.hf_tokenizer, True, task="transcribe", language=language)
        prompt = self._model.get_prompt(tokenizer, [], without_timestamps=True)
        budget = SPARE_TOKENS + TOKENS_PER_SECOND * len(sound) // SAMPLE_RATE_HERTZ
        result = self._model.model.generate(
            self._model.encode(pad_or_trim(features, window)),
            [prompt],
            beam_size=1,
            max_length=len(prompt) + budget,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        words = str(tokenizer.decode(tokens)).strip()
        if result.scores[0] < UNSURE:
            return "" if result.no_speech_prob > NO_SPEECH else None
        return None if len(tokens) >= budget or is_loop(words) else words

    async def warm_up(self) -> None:
        """Hears a second of faint noise."""
        noise = np.random.default_rng(0).normal(0, 0.01, SAMPLE_RATE_HERTZ)
        await self.hear(noise.astype(np.float32), self._language)

    async def close(self) -> None:
        """Ends the thread; the model goes with the last reference."""
        await self._worker.close()


def is_loop(words: str) -> bool:
    """Whether three words in a row come MOST_REPEATS times."""
    every = words.lower().split()
    threes = Counter(zip(every, every[1:], every[2:], strict=False))
    return max(threes.values(), default=0) >= MOST_REPEATS


def cuda_devices() -> int:
    """Counts the GPUs that CTranslate2 can use."""
    import ctranslate2

    return int(ctranslate2.get_cuda_device_count())
