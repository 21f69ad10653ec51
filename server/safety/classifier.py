"""A small classifier of danger by the meaning of an utterance; it knows no engine.

The meaning comes as a vector. `training/safety` makes the weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.errors import ConfigError

DIMENSIONS = 384
"""Of the vector: the embedder's."""
DEGREES = ("concern", "high", "imminent")
"""What is judged: whether the danger is at least so near."""


@dataclass(frozen=True)
class Guess:
    """What the classifier makes of an utterance."""

    level: str
    """One of LEVELS."""
    concern: float
    """Probability that there is any danger."""
    kind: str
    """The category of danger that it is most like."""


class Classifier:
    """A multinomial logistic regression over a vector: one class for each category and level."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """arrays: `weights`, shape (classes, DIMENSIONS + 1), the last column being the bias;
        `categories` and `ranks` (index into LEVELS), shape (classes,); `reached`, shape (2, 3), the
        probability from which each of DEGREES counts, for words alone and for words after what was
        said; `model`, whose vectors it understands.

        Raises ConfigError where one is missing, has another shape or is not finite.
        """
        try:
            self._weights = np.asarray(arrays["weights"], np.float32)
            self._reached = np.asarray(arrays["reached"], np.float32)
            self._ranks = np.asarray(arrays["ranks"], np.int64)
            self._categories = [str(one) for one in arrays["categories"]]
            self.model = str(arrays["model"])
            """The embedder whose vectors it understands."""
        except (KeyError, ValueError, TypeError) as error:
            raise ConfigError("The classifier of danger lacks a part; install it again.") from error
        count = len(self._categories)
        shapes = (self._weights.shape, self._reached.shape, self._ranks.shape)
        finite = np.isfinite(self._weights).all() and np.isfinite(self._reached).all()
        known = count and ((self._ranks >= 0) & (self._ranks <= len(DEGREES))).all()
        if shapes != ((count, DIMENSIONS + 1), (2, len(DEGREES)), (count,)) or not (
            finite and known
        ):
            raise ConfigError("The classifier of danger has wrong weights; install it again.")

    def guess(self, vector: NDArray[np.float32], *, after: bool = False) -> Guess:
        """Judges a vector: float32, shape (DIMENSIONS,), of length 1.

        after: whether it is of words after what was said before.
        """
        least = self._reached[int(after)]
        scores = self._weights @ np.append(vector, np.float32(1))
        likely = np.exp(scores - scores.max())
        likely /= likely.sum()
        reached = [float(likely[self._ranks >= rank].sum()) for rank in (1, 2, 3)]
        level = next(
            (DEGREES[i] for i in (2, 1, 0) if reached[i] >= least[i]),
            "none",
        )
        best = int(np.argmax(np.where(self._ranks > 0, likely, -1)))
        return Guess(level, reached[0], self._categories[best])


def read(data: bytes) -> Classifier:
    """Reads weights as `training/safety` writes them. Raises ConfigError if they are none."""
    try:
        with np.load(BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:
        raise ConfigError("The classifier of danger cannot be read; install it again.") from error
    return Classifier(arrays)


@cache
def classifier() -> Classifier:
    """Loads the weights beside this file. Raises ConfigError if they are missing or wrong."""
    try:
        data = resources.files("server.safety").joinpath("classifier.npz").read_bytes()
    except OSError as error:
        raise ConfigError("The classifier of danger is missing; install it again.") from error
    return read(data)
