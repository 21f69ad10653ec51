"""Tries the noticing of danger on the held-out set: `python -m training.safety.evaluate`.

Prints what is found by category with 95 % intervals, every miss and every false alarm. With
`--write` the tables stand in SAFETY.md as well. `--tuned-on` takes the set by which settings were
chosen, `--corpus` the split `dev` of the corpus; `--plain` leaves the meaning out.
"""

import argparse
import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from server.config import Settings
from server.engines.loading import load_engine
from server.safety import LEVELS, Assessment, assess, readings
from training.safety.corpus import CORPUS, HELD_OUT, TUNED_ON, Line, lines

SAFETY = Path(__file__).parents[2] / "SAFETY.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
BOUNDS = {
    "explicit found as high or imminent": (0.97, True),
    "implicit found at any level": (0.80, True),
    "harmless that raise any alarm": (0.08, False),
    "harmless taken for high or imminent": (0.03, False),
}


@dataclass(frozen=True)
class Judged:
    """A line, and what was made of it."""

    line: Line
    found: Assessment
    ms: float

    @property
    def rank(self) -> int:
        """How grave it was found to be."""
        return LEVELS.index(self.found.level)


async def judge(every: Sequence[Line], *, plain: bool) -> list[Judged]:
    """Judges lines as a talk does, on one thread. plain: without the meaning of the words."""
    encoder = load_engine("danger", Settings())
    await encoder.warm_up()
    judged = []
    for line in every:
        begin = time.perf_counter()
        texts = readings(line.text, line.context)
        vectors = None if plain or not texts else await encoder.embed(texts, "query")
        found = assess(line.text, line.context, vectors)
        judged.append(Judged(line, found, 1000 * (time.perf_counter() - begin)))
    await encoder.close()
    return judged


def kind_of(line: Line) -> str:
    """Gives `explicit`, `implicit` or `harmless`, by the level where the set does not say."""
    by_level = {"none": "harmless", "concern": "implicit"}
    return line.kind or by_level.get(line.level, "explicit")


def shares(judged: Sequence[Judged]) -> dict[str, list[bool]]:
    """Gives for each of BOUNDS which lines it holds for."""
    of_kind: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        of_kind[kind_of(one.line)].append(one)
    return {
        "explicit found as high or imminent": [one.rank >= 2 for one in of_kind["explicit"]],
        "implicit found at any level": [one.rank >= 1 for one in of_kind["implicit"]],
        "harmless that raise any alarm": [one.rank >= 1 for one in of_kind["harmless"]],
        "harmless taken for high or imminent": [one.rank >= 2 for one in of_kind["harmless"]],
    }


def tables(judged: Sequence[Judged]) -> Iterator[str]:
    """Gives the lines of a report in Markdown; it ends with every miss and false alarm."""
    yield "| of | share (95 % interval) | bound | |"
    yield "|---|---|---|---|"
    for name, hits in shares(judged).items():
        bound, least = BOUNDS[name]
        share = sum(hits) / max(len(hits), 1)
        kept = share >= bound if least else share <= bound
        words = f"at {'least' if least else 'most'} {bound}"
        yield f"| {len(hits)} {name} | {interval(hits)} | {words} | {_verdict(kept)} |"
    times = sorted(one.ms for one in judged)
    yield ""
    median, high = times[len(times) // 2], times[int(0.95 * len(times))]
    yield f"Median {median:.0f} ms a turn, 95 of 100 below {high:.0f} ms."
    yield ""
    yield "| category | lines | none | concern | high | imminent | found |"
    yield "|---|---|---|---|---|---|---|"
    by_category: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        name = one.line.category if one.line.level != "none" else f"{one.line.category} (harmless)"
        by_category[name].append(one)
    for name, some in sorted(by_category.items()):
        counts = " | ".join(str(sum(one.rank == rank for one in some)) for rank in range(4))
        yield f"| {name} | {len(some)} | {counts} | {interval([one.rank > 0 for one in some])} |"
    yield ""
    for one in judged:
        if trouble := _trouble(one):
            words = one.line.text.replace("|", " ")
            what = f"{one.line.level} -> {one.found.level} {one.found.reason}".strip()
            yield f"- {trouble} ({one.line.category}, {what}): {words}"


def _verdict(kept: bool) -> str:
    return "kept" if kept else "MISSED"


def _trouble(one: Judged) -> str:
    kind = kind_of(one.line)
    if kind == "harmless":
        return "false alarm" if one.rank else ""
    least = 2 if kind == "explicit" else 1
    return "missed" if one.rank == 0 else "too low" if one.rank < least else ""


def interval(hits: Sequence[bool]) -> str:
    """Gives a share and Wilson's 95 % interval (E. B. Wilson, JASA 22, 1927)."""
    if not hits:
        return "-"
    z, n, p = 1.96, len(hits), sum(hits) / len(hits)
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return f"{p:.2f} ({max(0, middle - half):.2f} to {min(1, middle + half):.2f})"


def main() -> None:
    """Judges, prints, and writes if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tuned-on", action="store_true")
    parser.add_argument("--corpus", action="store_true")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--write", action="store_true")
    words = parser.parse_args()
    every = [*lines(TUNED_ON if words.tuned_on else HELD_OUT)]
    if words.corpus:
        every = [one for one in lines(CORPUS) if one.split == "dev"]
    report = "\n".join(tables(asyncio.run(judge(every, plain=words.plain))))
    print(report)
    if words.write:
        text = SAFETY.read_text(encoding="utf-8")
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        SAFETY.write_text(f"{before}{BEGIN}\n{report}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
