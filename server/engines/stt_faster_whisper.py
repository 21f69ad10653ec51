"""Hearing by Whisper in CTranslate2 (faster-whisper); a batch recogniser without partials."""

from pathlib import Path
from typing import Any

import numpy as np

from server.engines import SAMPLE_RATE_HERTZ, Description, Heard, Samples
from server.engines.worker import Worker
from server.errors import EngineError

TEMPERATURES = (0.0, 0.4, 0.8)
"""Greedy first; warmer where the words loop or the model is unsure (faster-whisper's own
thresholds: compression ratio 2.4, mean log probability -1)."""
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
        self, model: Path, device: str, compute_type: str, language: str, threads: int
    ) -> None:
        from faster_whisper import WhisperModel

        self._name = model.name
        self._device = device
        self._language = language
        self._multilingual = not model.name.endswith(".en")
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
        spoken = language if self._multilingual else "en"
        try:
            segments, info = self._model.transcribe(
                sound,
                language=spoken or None,
                beam_size=1,
                temperature=TEMPERATURES,
                condition_on_previous_text=False,
                without_timestamps=True,
            )
            text = " ".join(segment.text.strip() for segment in segments)
        except Exception as error:
            raise EngineError("Whisper failed on this utterance.") from error
        return Heard(text.strip(), str(info.language))

    async def warm_up(self) -> None:
        """Hears a second of faint noise."""
        noise = np.random.default_rng(0).normal(0, 0.01, SAMPLE_RATE_HERTZ)
        await self.hear(noise.astype(np.float32), self._language)

    async def close(self) -> None:
        """Ends the thread; the model goes with the last reference."""
        await self._worker.close()


def cuda_devices() -> int:
    """Counts the GPUs that CTranslate2 can use."""
    import ctranslate2

    return int(ctranslate2.get_cuda_device_count())
