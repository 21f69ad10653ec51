"""The weights of the classifier of danger, right and wrong, and what is made of words."""

from io import BytesIO

import numpy as np
import pytest

from server.errors import ConfigError
from server.safety import assess, noticing
from server.safety import classifier as room
from server.safety.classifier import DEGREES, DIMENSIONS, Classifier, read

COUNT = 4


def arrays(**changes: object) -> dict[str, np.ndarray]:
    """Weights that find nothing: all classes are as likely."""
    made = {
        "weights": np.zeros((COUNT, DIMENSIONS + 1), np.float32),
        "categories": np.array(["idiom", "burden", "abuse", "plan"]),
        "ranks": np.arange(COUNT),
        "reached": np.full((2, 3), 0.9, np.float32),
        "model": np.array("some-model"),
    }
    return made | {name: np.asarray(value) for name, value in changes.items()}


def written(**changes: object) -> bytes:
    file = BytesIO()
    np.savez(file, **arrays(**changes))  # type: ignore[arg-type]
    return file.getvalue()


NOTHING = np.zeros(DIMENSIONS, np.float32)


def test_weights_are_read_with_their_model() -> None:
    made = read(written())
    assert made.model == "some-model"
    assert made.guess(NOTHING).level == "none"


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": np.zeros((COUNT, 7))},
        {"weights": np.full((COUNT, DIMENSIONS + 1), np.nan)},
        {"reached": np.zeros(3)},
        {"reached": np.full((2, 3), np.inf)},
        {"ranks": np.array([0, 1, 2, 9])},
        {"ranks": np.zeros(2)},
        {"categories": np.array(["idiom"])},
        {"categories": np.array([])},
    ],
)
def test_weights_that_do_not_fit_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="wrong weights"):
        read(written(**changes))


@pytest.mark.parametrize("name", ["weights", "categories", "ranks", "reached", "model"])
def test_a_part_that_is_missing_is_told(name: str) -> None:
    left = arrays()
    del left[name]
    with pytest.raises(ConfigError, match="lacks a part"):
        Classifier(left)


@pytest.mark.parametrize("data", [b"", b"no weights", written()[:500], written()[:-30]])
def test_what_is_no_file_of_weights_is_refused(data: bytes) -> None:
    with pytest.raises(ConfigError, match="install it again"):
        read(data)


@pytest.mark.parametrize("rank", range(COUNT))
def test_the_gravest_degree_that_is_reached_counts(rank: int) -> None:
    weights = np.zeros((COUNT, DIMENSIONS + 1), np.float32)
    weights[rank, -1] = 9.0
    guess = Classifier(arrays(weights=weights)).guess(NOTHING)
    assert guess.level == ("none", *DEGREES)[rank]
    if rank:
        assert guess.kind == arrays()["categories"][rank]


def test_words_after_others_have_degrees_of_their_own() -> None:
    weights = np.zeros((COUNT, DIMENSIONS + 1), np.float32)
    weights[2, -1] = 2.0
    made = Classifier(arrays(weights=weights, reached=[[0.5, 0.5, 0.9], [0.99, 0.99, 0.99]]))
    assert made.guess(NOTHING).level == "high"
    assert made.guess(NOTHING, after=True).level == "none"


@pytest.mark.parametrize("shape", [(7,), (2, 7), (DIMENSIONS,), (0, DIMENSIONS)])
def test_vectors_of_another_shape_are_left_out(shape: tuple[int, ...]) -> None:
    assert assess("I want to kill myself", (), np.zeros(shape, np.float32)).level == "high"


def test_without_the_classifier_the_patterns_still_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Classifier:
        raise ConfigError("The classifier of danger is missing; install it again.")

    monkeypatch.setattr(noticing, "classifier", missing)
    assert assess("I want to kill myself").level == "high"
    assert assess("We had soup today").level == "none"
    assert not noticing.understands("some-model")
    assert "install it again" in noticing.what_is_missing("some-model")


def test_another_embedder_is_not_understood() -> None:
    known = room.classifier().model
    assert noticing.what_is_missing(known) == ""
    assert known in noticing.what_is_missing("another-model")
    assert noticing.what_is_missing("")
