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
LEAD_S = 0.01
"""Silence left before a sentence: its attack."""
SENTENCE_S, COMMA_S, PHRASE_S = 0.2, 0.12, 0.03
"""Silence left after it: the pause before the next, by the mark it ends with."""
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
            every = self._phonemes(text)
            for place, phonemes in enumerate(every):
                tail_s = pause_after(text) if place + 1 == len(every) else SENTENCE_S
                if emit(trimmed(self._sound(phonemes, VOICES[name]), self._rate, tail_s)):
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
        return np.asarray(np.clip(sound, -1, 1), dtype=np.float32)

    async def warm_up(self) -> None:
        """Says a word."""
        async for _ in self.stream("Hello."):
            pass

    async def close(self) -> None:
        """Ends the thread."""
        await self._worker.close()


def pause_after(text: str) -> float:
    """Gives the silence that belongs after a clause, in seconds."""
    mark = text.rstrip("\"') ")[-1:]
    if mark in ".?!…":
        return SENTENCE_S
    return COMMA_S if mark in ",;:" else PHRASE_S


def trimmed(sound: Samples, rate_hertz: int, tail_s: float = SENTENCE_S) -> Samples:
    """Cuts the silence around speech down to LEAD_S before it and `tail_s` after it.

    hibari begins each sentence with 0.3 s of silence, which a person would wait through.
    """
    loud = np.flatnonzero(np.abs(sound) > SILENCE)
    if not len(loud):
        return sound[:0]
    begin = max(0, int(loud[0]) - int(LEAD_S * rate_hertz))
    return sound[begin : int(loud[-1]) + int(tail_s * rate_hertz)]
