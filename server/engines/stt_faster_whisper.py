"""Hearing by Whisper in CTranslate2 (faster-whisper); a batch recogniser without partials.

Whisper was trained on windows of 30 s, and most of its time goes into encoding them. A
multilingual model also reads a window as long as the utterance, in a third of the time; now
and then it falls into a loop there, which gives itself away and is heard again in full. What
still loops or is unsure then goes through faster-whisper's own, warmer tries.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
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
LENGTH_PER_TOKEN = 2
"""CTranslate2 finds half as many tokens as the `max_length` that it is given."""
MOST_REPEATS = 3
"""Three words in a row, heard this often in one utterance, are a loop."""
UNSURE = -1.0
"""Mean log probability below which an utterance is heard again (faster-whisper's own)."""
NO_SPEECH = 0.6
"""Probability from which an utterance that is unsure as well is no speech (likewise)."""
BRIEF = 2 * SAMPLE_RATE_HERTZ
"""An utterance under 2 s that is unsure in the full window is not heard a third time: "mm-hm"
becomes no surer, and somebody waits."""
BROKEN_CERTAINTY, BROKEN_ENDS, BROKEN_WORDS = 0.7, 0.2, 2.0
"""Below all three (certainty, probability of an end mark, words a second) an utterance of BROKEN_S
or more was broken off: now and then a short window loses all but the first words."""
BROKEN_S = 1.5
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
        self._marks = Marks(self._model.hf_tokenizer)

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
            features = self._model.feature_extractor(sound)
            frames = features.shape[-1] + WINDOW_MARGIN
            short = max(SHORTEST_WINDOW, frames)
            if self._short_window and language and short < FULL_WINDOW:
                heard = self._hear_once(features, len(sound), language, short)
                if heard is not None and _is_whole(heard, len(sound) / SAMPLE_RATE_HERTZ):
                    return heard
            if language and frames <= FULL_WINDOW:
                heard = self._hear_once(features, len(sound), language, FULL_WINDOW)
                if heard is not None and len(sound) < BRIEF and is_doubled(heard.text):
                    return replace(heard, certainty=0.0)
                if heard is not None and (not _unsure(heard) or len(sound) < BRIEF):
                    return heard
            return self._hear_patiently(sound, language)
        except Exception as error:
            raise EngineError("Whisper failed on this utterance.") from error

    def _hear_patiently(self, sound: Samples, language: str) -> Heard:
        spoken = language if self._multilingual else "en"
        most = _most_tokens(len(sound))
        segments, info = self._model.transcribe(
            sound,
            language=spoken or None,
            beam_size=1,
            temperature=TEMPERATURES,
            condition_on_previous_text=False,
            without_timestamps=True,
            max_new_tokens=LENGTH_PER_TOKEN * most,
        )
        # What loops in the warmest try as well is singing, or a voice without words.
        every = [segment for segment in segments if len(segment.tokens) < most]
        text = " ".join(segment.text.strip() for segment in every)
        scores = [segment.avg_logprob for segment in every]
        certainty = math.exp(sum(scores) / len(scores)) if scores else None
        return Heard(text.strip(), str(info.language), certainty=certainty)

    def _hear_once(
        self, features: Any, sample_count: int, language: str, window: int
    ) -> Heard | None:
        """Hears greedily in a window of so many frames; None: it looped."""
        from faster_whisper.audio import pad_or_trim

        tokenizer = self._tokenizer(language)
        prompt = self._model.get_prompt(tokenizer, [], without_timestamps=True)
        most = _most_tokens(sample_count)
        result = self._model.model.generate(
            self._model.encode(pad_or_trim(features, window)),
            [prompt],
            beam_size=1,
            max_length=LENGTH_PER_TOKEN * most,
            return_scores=True,
            return_logits_vocab=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        words = str(tokenizer.decode(tokens)).strip()
        score = float(result.scores[0])
        if score < UNSURE and result.no_speech_prob > NO_SPEECH:
            return Heard("", language)
        if len(tokens) >= most or is_loop(words):
            return None
        ends, goes_on = self._marks.at_end(tokens, result.logits[0])
        return Heard(words, language, ends, goes_on, math.exp(score))

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(
            self._model.hf_tokenizer, self._multilingual, task="transcribe", language=language
        )

    async def warm_up(self) -> None:
        """Hears a second of faint noise."""
        noise = np.random.default_rng(0).normal(0, 0.01, SAMPLE_RATE_HERTZ)
        await self.hear(noise.astype(np.float32), self._language)

    async def close(self) -> None:
        """Ends the thread; the model goes with the last reference."""
        await self._worker.close()


def _most_tokens(sample_count: int) -> int:
    """Gives how many tokens in one window are more than speech of this length can have."""
    seconds = min(sample_count / SAMPLE_RATE_HERTZ, FULL_WINDOW / FRAMES_PER_SECOND)
    return SPARE_TOKENS + int(TOKENS_PER_SECOND * seconds)


class Marks:
    """The punctuation that Whisper would write after the last word.

    It says more than the mark that it does write: cut off in mid-phrase, Whisper is torn
    between a full stop, a comma and nothing at all.
    """

    def __init__(self, tokenizer: Any) -> None:
        """tokenizer: Whisper's own (`tokenizers.Tokenizer`)."""
        self._ends = _ids(tokenizer, ".?!")
        self._goes_on = _ids(tokenizer, ",;:")
        self._all = {
            *self._ends,
            *self._goes_on,
            *_ids(tokenizer, "-—…"),
            *_ids(tokenizer, ["..."]),
        }

    def at_end(self, tokens: Sequence[int], logits: Sequence[Any]) -> tuple[float | None, float]:
        """Gives the probabilities of an end mark and of a comma after the last word.

        logits: one vector over the vocabulary for each token, and one for the end of the text.
        The first is None where there is no such vector.
        """
        last = len(tokens)
        while last and tokens[last - 1] in self._all:
            last -= 1
        if last >= len(logits):
            return None, 0.0
        values = np.asarray(logits[last], dtype=np.float32).ravel()
        probabilities = np.exp(values - values.max())
        probabilities /= probabilities.sum()
        return float(probabilities[self._ends].sum()), float(probabilities[self._goes_on].sum())


def _ids(tokenizer: Any, marks: Iterable[str]) -> list[int]:
    """Looks up marks as they stand, and after a space (written as in byte-level BPE)."""
    found = (tokenizer.token_to_id(space + mark) for mark in marks for space in ("", "\u0120"))
    return [one for one in found if one is not None]


def _unsure(heard: Heard) -> bool:
    return heard.certainty is not None and heard.certainty < math.exp(UNSURE)


def _is_whole(heard: Heard, seconds: float) -> bool:
    """Whether what a short window gave may be trusted."""
    return not (is_doubled(heard.text) or _unsure(heard) or is_broken_off(heard, seconds))


def is_broken_off(heard: Heard, seconds: float) -> bool:
    """Whether words were lost: few for the time, unsure, and without an end.

    In 53 recorded and spoken sentences it holds for the four of which that is true, and for no
    other.
    """
    if seconds < BROKEN_S or heard.certainty is None or heard.ends is None:
        return False
    few = len(heard.text.split()) < BROKEN_WORDS * seconds
    return few and heard.certainty < BROKEN_CERTAINTY and heard.ends < BROKEN_ENDS


def is_doubled(words: str) -> bool:
    """Whether something is said twice over, as a short window makes of short words and pauses.

    Two words or more that follow themselves at once, or all of it.
    """
    every = re.findall(r"[^\W_]+", words.lower())
    for count in range(2, len(every) // 2 + 1):
        for first in range(len(every) - 2 * count + 1):
            if every[first : first + count] == every[first + count : first + 2 * count]:
                return True
    return len(every) == 2 and every[0] == every[1]


def is_loop(words: str) -> bool:
    """Whether three words in a row come MOST_REPEATS times."""
    every = words.lower().split()
    threes = Counter(zip(every, every[1:], every[2:], strict=False))
    return max(threes.values(), default=0) >= MOST_REPEATS


def cuda_devices() -> int:
    """Counts the GPUs that CTranslate2 can use."""
    import ctranslate2

    return int(ctranslate2.get_cuda_device_count())
