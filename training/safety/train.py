"""Makes the weights of the classifier of danger: `python -m training.safety.train`.

A multinomial logistic regression over the vectors of the encoder that `training.safety.finetune`
taught, one class for each category and level. A degree of danger counts from the probability that
FALSE_ALARMS of the harmless lines of the split `dev` reach. The weights land beside
`server/safety/classifier.py`. It needs scikit-learn, from the extra `training`.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from server.config import Settings
from server.engines.loading import load_engine
from server.safety import LEVELS
from server.safety import classifier as room
from server.safety.classifier import DEGREES
from training.safety.corpus import CORPUS, Line, lines
from training.safety.readings import readings

OUT = Path(room.__file__).with_name("classifier.npz")
FALSE_ALARMS = ((0.11, 0.07, 0.012), (0.05, 0.03, 0.006))
"""Share of harmless readings that may be taken for concern, high, imminent: alone, and after what
was said before. Readings and patterns add up, and where it conflicts, finding wins."""
VECTOR_SCALE = 8.0
"""Vectors of E5 lie close together: of 3, 5, 8 and 12 this found the most."""
SOFTNESS = 0.1
"""Inverse strength of the regularisation (scikit-learn's C): of 0.03, 0.1 and 1 this found most."""
PATIENCE = {"max_iter": 300, "tol": 1e-3}
"""Lines that the encoder was taught by are told apart at once; more steps only harden that."""


async def embed(texts: Sequence[str]) -> tuple[NDArray[np.float32], str]:
    """Embeds as a talk does: shape (n, DIMENSIONS); gives the name of the model as well."""
    engine = load_engine("danger", Settings())
    try:
        vectors = np.concatenate([await engine.embed([one], "query") for one in texts])
        return np.asarray(vectors, np.float32), str(engine.describe().model)
    finally:
        await engine.close()


def threshold(likely: NDArray[np.float64], most: float) -> float:
    """Finds the lowest probability that at most a share of harmless readings reaches."""
    return float(np.sort(likely)[::-1][int(most * len(likely))] + 1e-4)


def make(
    every: Sequence[Line], after: NDArray[np.bool_], vectors: NDArray[np.float32]
) -> dict[str, NDArray[Any]]:
    """Makes all arrays of the weights but the name of the model.

    after: which vectors are of words after what was said before.
    """
    train = np.array([one.split == "train" for one in every])
    classes = np.array([f"{one.category}/{one.level}" for one in every])
    mean = vectors[train].mean(axis=0)
    spread = (vectors - mean) * VECTOR_SCALE
    model = LogisticRegression(C=SOFTNESS, class_weight="balanced", **PATIENCE)
    model.fit(spread[train], classes[train])
    harmless = np.array([one.split == "dev" and one.level == "none" for one in every])
    class_ranks = np.array([LEVELS.index(one.split("/")[1]) for one in model.classes_])
    reached = []
    for others, shares in zip((harmless & ~after, harmless & after), FALSE_ALARMS, strict=True):
        found = model.predict_proba(spread[others])
        reached.append(
            [
                threshold(found[:, class_ranks >= rank].sum(axis=1), most)
                for rank, most in enumerate(shares, 1)
            ]
        )
    weights = model.coef_ * VECTOR_SCALE
    bias = model.intercept_ - weights @ mean
    return {
        "weights": np.hstack([weights, bias[:, None]]).astype(np.float32),
        "categories": np.array([one.split("/")[0] for one in model.classes_]),
        "ranks": class_ranks,
        "reached": np.array(reached, np.float32),
    }


def main() -> None:
    """Trains, writes the weights, and says from where each degree counts."""
    read = [*readings([*lines(CORPUS)])]
    every = [line for line, _ in read]
    vectors, model = asyncio.run(embed([text for _, text in read]))
    after = np.array([text != line.text for line, text in read])
    arrays = make(every, after, vectors)
    arrays["model"] = np.array(model)
    np.savez_compressed(OUT, **arrays)  # type: ignore[arg-type]
    for place, reached in zip(("alone", "after others"), arrays["reached"].tolist(), strict=True):
        print(f"{place}: {dict(zip(DEGREES, reached, strict=True))}")
    print(f"{OUT.name}: {OUT.stat().st_size // 1024} KiB, from {len(every)} readings")


if __name__ == "__main__":
    main()
