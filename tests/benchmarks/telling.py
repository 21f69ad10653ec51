"""Tells what the benchmark of turn-taking found: figures, the table, and which bounds are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks import others, results, table
from tests.benchmarks.found import Found
from tests.benchmarks.judging import Outcome, Rate, mean, median, p95, rate
from tests.benchmarks.marks import KINDS
from tests.benchmarks.parts import VOICES, first_sounds, plain_cuts

COULD_END, INCOMPLETE = KINDS["/"], KINDS["|"]
ALLOWED_CUTS = {
    (0.7, INCOMPLETE): 0.0,
    (0.7, COULD_END): 0.0,
    (1.5, INCOMPLETE): 0.05,
    (1.5, COULD_END): 0.25,
    (3.0, INCOMPLETE): 0.10,
    (3.0, COULD_END): 0.60,
}
"""Share of the people who may be answered before they had ended, by pause and words before it."""


@dataclass(frozen=True)
class Bound:
    """Something that is asked for, and what was found."""

    name: str
    found: float
    most: float
    told: str
    """What was found, in words."""

    @property
    def kept(self) -> bool:
        """Whether it is kept."""
        return self.found <= self.most


def report(figure: str, value: float, unit: str, against: float | None, samples: int) -> None:
    """Reports one figure."""
    results.report("turn_taking", figure, value, unit, against, samples)


def tell(found: Found) -> None:
    """Reports every figure that was measured, then prints table, stages, bounds and durations."""
    bounds: list[Bound] = []
    tables: list[str] = []
    for part in (_clean, _pauses, _barge_in, _backchannels, _others, _busy):
        more, lines = part(found)
        bounds += more
        tables += lines
    for name, seconds in found.took_s.items():
        report(f"duration of {name}", seconds, "s", None, 1)
    print("\n" + "\n".join([*table.summary(found), *tables, *_bounds(bounds)]), flush=True)


Told = tuple[list[Bound], list[str]]


def _clean(found: Found) -> Told:
    if not found.clean:
        return [], []
    floors, plains = [one.floor for one in found.direct], [one.plain for one in found.direct]
    ours, off = first_sounds(found.clean), first_sounds(found.waiting)
    for name, of in (("median", median), ("p95", p95)):
        for who, times in (("floor", floors), ("plain design", plains), ("ahead off", off)):
            against = None if who == "floor" else of(floors)
            report(f"first sound {name}, {who}", of(times), "s", against, len(times))
        report(f"first sound {name}", of(ours), "s", of(floors), len(ours))
    for stage in ("hearing", "clause", "sound"):
        times = [getattr(one, stage) for one in found.direct]
        report(f"floor, {stage}, median", median(times), "s", None, len(times))
    cpu, cpu_off = (mean([t.cpu_s for t in turns]) for turns in (found.clean, found.waiting))
    report("CPU a turn", cpu, "s", cpu_off, len(found.clean))
    report("server memory, largest", found.peak_mib, "MiB", None, 1)
    short, full = found.errors
    report("word errors", short, "%", full, len(found.clean))
    wrong = rate([one.cut_off or one.turns != 1 for one in found.clean])
    report("clean, cut off or not answered once", wrong.hits, "turns", None, wrong.cases)
    middle, late = median(ours) / median(floors), p95(ours) / p95(floors)
    words = f"{short:.1f} % against {full:.1f} %"
    return [
        Bound("first sound median over the floor's", middle, 0.75, f"{middle:.2f}"),
        Bound("first sound p95 over the floor's", late, 1.2, f"{late:.2f}"),
        Bound("aim: median over the floor's", middle, 0.55, f"{middle:.2f}"),
        Bound("aim: p95 over the floor's", late, 0.9, f"{late:.2f}"),
        Bound("word errors, points over the full window's", short - full, 1.0, words),
        Bound("CPU of a turn over that with ahead off", cpu / cpu_off, 1.6, f"{cpu / cpu_off:.2f}"),
    ], [*_kinds(found), *_stages(found)]


def _kinds(found: Found) -> list[str]:
    """The first sound after recordings and after spoken sentences, apart."""
    lines = [
        "",
        "| first sound, median / p95 s | floor | ahead off | TADBot |",
        "|---|---|---|---|",
    ]
    for kind, voiced in (("recordings", False), ("spoken sentences", True)):
        floors = [o.floor for o in found.direct if o.clip.name.startswith(VOICES) is voiced]
        off, ours = (
            first_sounds([one for one in turns if one.clip.name.startswith(VOICES) is voiced])
            for turns in (found.waiting, found.clean)
        )
        report(f"first sound median, {kind}", median(ours), "s", median(floors), len(ours))
        report(f"first sound p95, {kind}", p95(ours), "s", p95(floors), len(ours))
        lines.append(f"| {kind} | {' | '.join(map(table.both, (floors, off, ours)))} |")
    return lines


def _stages(found: Found) -> list[str]:
    """Where the time of a turn goes, from `turn_latency`, in medians."""
    names = list(dict.fromkeys(name for one in found.clean for name in one.stages))
    lines = ["", "| stage, median s | TADBot | ahead off |", "|---|---|---|"]
    for name in names:
        both = [
            [one.stages[name] for one in turns if name in one.stages]
            for turns in (found.clean, found.waiting)
        ]
        on, off = map(median, both)
        report(f"stage {name}, median", on, "s", off, len(both[0]))
        lines.append(f"| {name} | {on:.3f} | {off:.3f} |")
    return lines


def _pauses(found: Found) -> Told:
    if not found.pauses:
        return [], []
    bounds = []
    plains = plain_cuts(found.pauses, median([one.plain for one in found.direct]))
    lines = ["", "| pause | after words that | cut off | answered twice |", "|---|---|---|---|"]
    for (pause_s, kind), most in ALLOWED_CUTS.items():
        turns = [one for one in found.pauses if (one.pause_s, one.kind) == (pause_s, kind)]
        cuts, twice = rate([one.cut_off for one in turns]), rate([one.turns > 1 for one in turns])
        name = f"cut off, {pause_s} s, {kind}"
        plain = rate([o.cut_off for o in plains if (o.pause_s, o.kind) == (pause_s, kind)])
        report(name, 100 * cuts.share, "%", 100 * plain.share, cuts.cases)
        bounds.append(Bound(name, cuts.share, most, str(cuts)))
        lines.append(f"| {pause_s} s | {kind} | {cuts} | {twice} |")
    twice = rate([one.turns > 1 for one in found.pauses])
    report("answered twice", twice.hits, "turns", None, twice.cases)
    bounds.append(Bound("answered twice", twice.hits, 0, str(twice)))
    heard, full = found.errors_paused
    report("word errors, sentences with a pause of 1.5 s", heard, "%", full, len(found.pauses) // 3)
    words = f"{heard:.1f} % against {full:.1f} %"
    bounds.append(Bound("word errors across pauses, points over the full", heard - full, 1, words))
    late = first_sounds(found.pauses)
    report("first sound after a sentence with a pause, median", median(late), "s", None, len(late))
    return bounds, lines


def _barge_in(found: Found) -> Told:
    over = [one for one in found.barge_in if one.outcome is not Outcome.NO_REPLY]
    if not over:
        return [], []
    stops = [one for one in over if one.outcome is Outcome.STOPPED]
    quiet = [one.silence_s for one in over if one.silence_s is not None]
    ducks = [one.duck_s for one in over if one.duck_s is not None]
    answered = rate([one.answered and one.outcome is Outcome.STOPPED for one in over])
    report("barge-in, time to silence, median", median(quiet), "s", None, len(quiet))
    report("barge-in, time to silence, p95", p95(quiet), "s", None, len(quiet))
    report("barge-in, time to giving way, median", median(ducks), "s", None, len(ducks))
    report("barge-in, time to giving way, p95", p95(ducks), "s", None, len(ducks))
    report("barge-in, stopped for good and answered", answered.hits, "cases", None, answered.cases)
    missed = answered.cases - answered.hits
    return [
        Bound("barge-in, quiet after, median s", median(quiet), 0.4, f"{median(quiet):.2f}"),
        Bound("barge-in, quiet after, p95 s", p95(quiet), 0.7, f"{p95(quiet):.2f}"),
        Bound("barge-in, giving way after, median s", median(ducks), 0.1, f"{median(ducks):.2f}"),
        Bound("barge-in, not stopped for good and answered", missed, 0, str(answered)),
    ], ["", f"Of {len(over)} interruptions {len(stops)} stopped the reply, {answered} answered."]


def _backchannels(found: Found) -> Told:
    over = [one for one in found.backchannels if one.outcome is not Outcome.NO_REPLY]
    if not over:
        return [], []
    lines = ["", "| a sound over a reply | cases |", "|---|---|"]
    for one in Outcome:
        count = sum(each.outcome is one for each in found.backchannels)
        report(f"backchannel, {one.value}", count, "cases", None, len(found.backchannels))
        lines.append(f"| {one.value} | {count} |")
    stops = rate([one.outcome is Outcome.STOPPED for one in over])
    names = [one.name for one in over if one.outcome is Outcome.STOPPED]
    lines += ["", f"Stopped for good by: {', '.join(names) or 'none'}."]
    return [Bound("backchannels that stop it for good", stops.share, 0.05, str(stops))], lines


def _others(found: Found) -> Told:
    if (these := found.others) is None:
        return [], []
    rows: list[tuple[str, Rate]] = [
        ("hesitant speech, cut off", rate([one.cut_off for one in these.hesitant])),
        ("hesitant speech, answered twice", rate([one.turns > 1 for one in these.hesitant])),
        ("whispers, answered", rate([one.first_s is not None for one in these.whispered])),
        ("coughs in pauses, cut off", rate([one.cut_off for one in these.coughs])),
        ("coughs in pauses, answered twice", rate([one.turns > 1 for one in these.coughs])),
    ]
    for level in others.ECHO_DB:
        at = [one for one in these.echoes if one.level_db == level]
        rows.append((f"echo at {level:.0f} dB, interrupts", rate([o.interrupted for o in at])))
        rows.append((f"echo at {level:.0f} dB, opens a turn", rate([o.opened for o in at])))
        rows.append((f"echo at {level:.0f} dB, ducks", rate([o.ducked > 0 for o in at])))
    lines = ["", "| scene | cases |", "|---|---|"]
    for name, found_rate in rows:
        report(name, found_rate.hits, "cases", None, found_rate.cases)
        lines.append(f"| {name} | {found_rate} |")
    return [], lines


def _busy(found: Found) -> Told:
    on, off = found.busy, found.busy_waiting
    if on is None or off is None:
        return [], []
    cpu, cpu_off = (mean([t.cpu_s for t in one.turns]) for one in (on, off))
    first, first_off = (median(first_sounds(one.turns)) for one in (on, off))
    report("busy, CPU a turn", cpu, "s", cpu_off, len(on.turns))
    report("busy, first sound median", first, "s", first_off, len(on.turns))
    report("busy, noticed", float(on.noticed), "", None, 1)
    told = f"{cpu / cpu_off:.2f}, {'noticed' if on.noticed else 'NOT NOTICED'}"
    ratio = cpu / cpu_off if on.noticed else float("inf")
    return [Bound("busy: CPU of a turn over that with ahead off", ratio, 1.25, told)], []


def _bounds(bounds: Sequence[Bound]) -> list[str]:
    lines = ["", "| bound | at most | found | |", "|---|---|---|---|"]
    for one in bounds:
        kept = "kept" if one.kept else "MISSED"
        lines.append(f"| {one.name} | {one.most:g} | {one.told} | {kept} |")
    return lines
