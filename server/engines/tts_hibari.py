"""Speaking by hibari: a small English voice on onnxruntime, a sentence at a time."""

from collections.abc import AsyncGenerator
from typing import Any

import numpy as np
import samplerate

from server.engines import Description, Samples
from server.engines.worker import Emit, Worker
from server.errors import EngineError, VoiceUnknownError

SILENCE = 0.005
"""Level under which the voice's sound is silence: -46 dB of full scale."""
LEAD_S, TAIL_S = 0.02, 0.2
"""Silence left around a sentence: its attack, and the pause before the next."""
VOICES = {"heart": 1.0, "deep": 0.84}
"""Voices by how much lower than the weights' own voice they are: `deep` is the same model
played slower after speaking faster, which lowers pitch and formants as a larger body does."""


class HibariVoice:
    """One model; its voices differ in how they turn spelling into sounds."""

    def __init__(self, voice: str, threads: int, speed: float) -> None:
        from hibari import SAMPLE_RATE, Hibari

        self._check(voice)
        self._voice = voice
        self._speed = speed
        self._rate = int(SAMPLE_RATE)
        self._worker = Worker("tts")
        try:
            self._model: Any = Hibari(threads=threads)
        except Exception as error:
            raise EngineError("The voice hibari cannot be loaded.") from error

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
            for phonemes in self._phonemes(text):
                if emit(self._sound(phonemes, VOICES[name])):
                    return

        sounds = self._worker.stream(speak)
        try:
            async for sound in sounds:
                if len(sound):
                    yield sound
        finally:
            await sounds.aclose()

    def _phonemes(self, text: str) -> list[str]:
        try:
            return list(self._model.phonemize(text))
        except Exception as error:
            raise EngineError("hibari cannot pronounce this text.") from error

    def _sound(self, phonemes: str, pitch: float) -> Samples:
        try:
            ids = self._model.ids(phonemes)
            sound = self._model.from_ids(ids, self._speed / pitch, np.random.default_rng(0))
            if pitch != 1:
                sound = samplerate.resample(sound, 1 / pitch, "sinc_fastest")
        except Exception as error:
            raise EngineError("hibari failed on this text.") from error
        return trimmed(np.asarray(np.clip(sound, -1, 1), dtype=np.float32), self._rate)

    async def warm_up(self) -> None:
        """Says a word."""
        async for _ in self.stream("Hello."):
            pass

    async def close(self) -> None:
        """Ends the thread."""
        await self._worker.close()


def trimmed(sound: Samples, rate_hertz: int) -> Samples:
    """Cuts the silence around speech down to LEAD_S before it and TAIL_S after it.

    hibari begins each sentence with 0.3 s of silence, which a person would wait through.
    """
    loud = np.flatnonzero(np.abs(sound) > SILENCE)
    if not len(loud):
        return sound[:0]
    begin = max(0, int(loud[0]) - int(LEAD_S * rate_hertz))
    return sound[begin : int(loud[-1]) + int(TAIL_S * rate_hertz)]
