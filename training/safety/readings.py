"""The texts of the corpus as the classifier reads them: alone, and in what was said before."""

import random
from collections.abc import Iterator, Sequence

from server.safety import in_context
from training.safety.corpus import Line, stands_alone

STRAY = 0.35
"""Share of the lines that are read a second time, in a talk that has nothing to do with them."""


def readings(every: Sequence[Line], seed: int = 0) -> Iterator[tuple[Line, str]]:
    """Gives each line with each text that it is read as.

    Lines that mean something alone also come after harmless lines of others, so that it is learnt
    that what was said before need not matter.
    """
    chance = random.Random(seed)
    asked = [
        entry
        for line in every
        if line.level == "none"
        for entry in line.context
        if entry.startswith("A:")
    ]
    harmless = [line for line in every if line.level == "none" and stands_alone(line)]
    for line in every:
        if line.context:
            yield line, in_context(line.text, line.context)
        if stands_alone(line):
            yield line, line.text
            if asked and not line.context and chance.random() < STRAY:
                before = (f"U: {chance.choice(harmless).text}", chance.choice(asked))
                yield line, in_context(line.text, before)
