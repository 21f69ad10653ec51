"""Reads the corpus and the held-out set; it does not know what is made of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server import safety

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
TUNED_ON = HERE / "held_out.jsonl"
"""Another hand's, used to choose settings: its figures flatter."""
HELD_OUT = HERE / "held_out_2.jsonl"
"""A third hand's, used for nothing but the figures that are told."""
ENCODER = Path(safety.__file__).with_name("encoder.q4")
"""The layers of the encoder of danger, as `training.safety.finetune` writes them."""
ONLY_IN_CONTEXT = ("confirmed", "denied", "minimised")
"""Categories whose words mean nothing without what was said before; rules judge those."""


@dataclass(frozen=True)
class Line:
    """One utterance, and what a careful listener would make of it."""

    text: str
    level: str
    """One of LEVELS."""
    category: str
    split: str = "held-out"
    """train, dev or test; of the corpus by the hash of its words."""
    kind: str = ""
    """explicit, implicit or harmless; of the held-out set."""
    lang: str = "en"
    context: tuple[str, ...] = ()


def lines(path: Path) -> Iterator[Line]:
    """Reads a JSONL file, or all in a folder. Raises ValueError for a line that is none."""
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    for file in files:
        for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            try:
                fields = json.loads(text)
                context = tuple(fields.pop("context", ()))
                yield Line(**fields, context=context)
            except (json.JSONDecodeError, TypeError, AttributeError) as error:
                raise ValueError(f"{file.name}:{number} is no line of the corpus.") from error


def stands_alone(line: Line) -> bool:
    """Whether its words can be judged without its context."""
    return line.category not in ONLY_IN_CONTEXT and not (line.category == "means" and line.context)
