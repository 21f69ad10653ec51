"""Judges what was just said, with its meaning where that comes in time; it never fails.

Who waits for it waits a little at most. It does not know what follows from a judgement.
"""

import asyncio
import logging
from collections.abc import Sequence

from server.engines import Embedder, Vectors
from server.errors import EngineError
from server.safety import Assessment, assess, readings, understands

log = logging.getLogger("tadbot.screening")

LONGEST_S = 0.25
"""Longest wait for the vectors; those of an utterance take some 30 ms on one core."""
UNSCREENED = Assessment("concern", "unscreened")
"""What words count for that could not be judged: they are asked about."""


class Screening:
    """Judges the words of one talk. encoder: of danger; None where there is none."""

    def __init__(self, encoder: Embedder | None) -> None:
        known = encoder is not None and understands(encoder.describe().model)
        self._encoder = encoder if known else None
        self._newest: tuple[str, tuple[str, ...]] | None = None
        self._assessment = Assessment()

    async def judge(self, words: str, context: Sequence[str]) -> Assessment:
        """Judges words before anything else reads them.

        context: earlier lines, oldest first, each beginning with `U: ` or `A: `. The same words
        in the same place are judged once.
        """
        newest = (words, tuple(context))
        if newest != self._newest:
            try:
                self._assessment = assess(words, context, await self._vectors(words, context))
            except Exception:
                # Whatever it is, it must not keep anybody from help.
                log.error("an utterance could not be screened")
                return UNSCREENED
            self._newest = newest
        return self._assessment

    async def _vectors(self, words: str, context: Sequence[str]) -> Vectors | None:
        texts = readings(words, context)
        if self._encoder is None or not texts:
            return None
        try:
            async with asyncio.timeout(LONGEST_S):
                return await self._encoder.embed(texts, "query")
        except (EngineError, TimeoutError) as error:
            log.warning("words are judged without their meaning: %s", type(error).__name__)
            return None
