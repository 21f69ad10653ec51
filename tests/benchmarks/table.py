"""The table of the benchmark of turn-taking that stands in the README."""

from collections.abc import Sequence

from tests.benchmarks.found import Found
from tests.benchmarks.judging import Outcome, mean, median, p95, rate
from tests.benchmarks.parts import PAUSES_S, Turn, first_sounds, plain_cuts

HEAD = (
    "| | first sound, median / p95 s | CPU-s a turn "
    "| cut off at pauses of 0.7 / 1.5 / 3 s | a listener's sounds stop it for good |"
)


def summary(found: Found) -> list[str]:
    """Gives the lines of the table; what was not measured is empty."""
    direct = found.direct
    plains = plain_cuts(found.pauses, median([one.plain for one in direct])) if direct else []
    rows = [
        (
            "the models called directly, utterance already cut (the floor)",
            both([one.floor for one in direct]),
        ),
        (
            "plain design: wait 0.8 s, transcribe, whole reply, whole sound",
            both([one.plain for one in direct]),
            "",
            _cuts(plains),
            "deaf",
        ),
        ("TADBot, without answering ahead", both(first_sounds(found.waiting)), _cpu(found.waiting)),
        (
            "TADBot",
            both(first_sounds(found.clean)),
            _cpu(found.clean),
            _cuts(found.pauses),
            _stops(found),
        ),
    ]
    return [HEAD, "|---|---|---|---|---|", *(_line(row) for row in rows)]


def _line(row: Sequence[str]) -> str:
    return f"| {' | '.join([*row, *[''] * (5 - len(row))])} |"


def both(times: Sequence[float]) -> str:
    """Median and p95 of seconds; "" of nothing."""
    return f"{median(times):.2f} / {p95(times):.2f}" if times else ""


def _cpu(turns: Sequence[Turn]) -> str:
    return f"{mean([one.cpu_s for one in turns]):.2f}" if turns else ""


def _cuts(turns: Sequence[Turn]) -> str:
    each = [rate([one.cut_off for one in turns if one.pause_s == pause_s]) for pause_s in PAUSES_S]
    return " / ".join(f"{one.hits} of {one.cases}" for one in each) if turns else ""


def _stops(found: Found) -> str:
    over = [one for one in found.backchannels if one.outcome is not Outcome.NO_REPLY]
    stops = rate([one.outcome is Outcome.STOPPED for one in over])
    return f"{stops.hits} of {stops.cases}" if over else ""
