"""Where benchmarks write: one JSON object a figure, on stdout and in bench-results.jsonl."""

import json
from pathlib import Path

RESULTS = Path("bench-results.jsonl")


def report(
    benchmark: str, figure: str, value: float, unit: str, against: float | None, samples: int
) -> None:
    """Reports a figure. against: the baseline of the same run; None where there is none."""
    line = {
        "benchmark": benchmark,
        "figure": figure,
        "value": round(value, 3),
        "unit": unit,
        "against": None if against is None else round(against, 3),
        "samples": samples,
    }
    print(json.dumps(line), flush=True)
    with RESULTS.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
