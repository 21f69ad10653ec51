"""The meaning of what was just said, as a vector, for those who recall; it never fails.

Who waits for it waits a little at most, and does without it where it does not come.
"""

import asyncio
import logging

from server.engines import Embedder
from server.errors import EngineError
from server.store import Vector

log = logging.getLogger("tadbot.meaning")

LONGEST_S = 0.25
"""Longest wait for a vector; it takes some 15 ms on one core."""


class Meaning:
    """The newest vector of one talk. embedder: None where there is none."""

    def __init__(self, embedder: Embedder | None) -> None:
        self._embedder = embedder
        self._words = ""
        self._vector: Vector | None = None

    @property
    def model(self) -> str:
        """Which model makes the vectors; "" where none does."""
        return self._embedder.describe().model if self._embedder is not None else ""

    async def of(self, words: str) -> Vector | None:
        """Gives the vector of words that are looked for; None: there is none in time."""
        if self._embedder is None or not words.strip():
            return None
        if words != self._words:
            try:
                async with asyncio.timeout(LONGEST_S):
                    found = await self._embedder.embed([words], "query")
            except (EngineError, TimeoutError) as error:
                log.warning("nothing is recalled for some words: %s", type(error).__name__)
                return None
            self._words, self._vector = words, found[0]
        return self._vector
