"""Speaking by hibari: a small English voice on onnxruntime, a sentence at a time."""

from collections.abc import AsyncGenerator
from typing import Any

import numpy as np

from server.engines import Description, Samples
from server.engines.worker import Emit, Worker
from server.errors import EngineError, VoiceUnknownError

VOICES = {"american": False, "british": True}
"""Voices of the weights in the package: whether the words are said the British way."""


class HibariVoice:
    """One model; its voices differ in how they turn spelling into sounds."""

    def __init__(self, voice: str, threads: int, speed: float) -> None:
        from hibari import SAMPLE_RATE, Hibari
        from hibari.g2p import G2P

        self._check(voice)
        self._voice = voice
        self._speed = speed
        self._rate = int(SAMPLE_RATE)
        self._worker = Worker("tts")
        self._pronounce = G2P
        try:
            self._model: Any = Hibari(threads=threads)
        except Exception as error:
            raise EngineError("The voice hibari cannot be loaded.") from error
        self._pronunciations: dict[str, Any] = {}

    def _check(self, voice: str) -> None:
        if voice not in VOICES:
            raise VoiceUnknownError(f"hibari has no such voice; it has {', '.join(VOICES)}.")

    @property
    def sample_rate_hertz(self) -> int:
        """24000."""
        return self._rate

    def describe(self) -> Description:
        """Names the voice."""
        return Description("hibari", self._voice, "cpu")

    async def stream(self, text: str, voice: str = "") -> AsyncGenerator[Samples, None]:
        """Speaks a sentence at a time; what cannot be pronounced is left out."""
        name = voice or self._voice
        self._check(name)

        def speak(emit: Emit[Samples]) -> None:
            for phonemes in self._phonemes(text, name):
                if emit(self._sound(phonemes)):
                    return

        sounds = self._worker.stream(speak)
        try:
            async for sound in sounds:
                if len(sound):
                    yield sound
        finally:
            await sounds.aclose()

    def _phonemes(self, text: str, voice: str) -> list[str]:
        try:
            if voice not in self._pronunciations:
                self._pronunciations[voice] = self._pronounce(british=VOICES[voice])
            self._model._g2p = self._pronunciations[voice]
            return list(self._model.phonemize(text))
        except Exception as error:
            raise EngineError("hibari cannot pronounce this text.") from error

    def _sound(self, phonemes: str) -> Samples:
        try:
            ids = self._model.ids(phonemes)
            sound = self._model.from_ids(ids, self._speed, np.random.default_rng(0))
        except Exception as error:
            raise EngineError("hibari failed on this text.") from error
        return np.asarray(np.clip(sound, -1, 1), dtype=np.float32)

    async def warm_up(self) -> None:
        """Says a word."""
        async for _ in self.stream("Hello."):
            pass

    async def close(self) -> None:
        """Ends the thread."""
        await self._worker.close()
