"""When the cores are busy, read from a machine that follows a script."""

import logging
from pathlib import Path
from typing import NamedTuple

import pytest

from server import spare
from server.spare import ALL_BUSY, EVERY_S, OTHERS_BUSY, ROOMY_CORES, SPAN_S, Spare

TICKS = 100


class Times(NamedTuple):
    """Seconds of work of this process."""

    user: float
    system: float


class Machine:
    """A machine of four cores, of which this process may use some.

    It stands for the modules `time` and `os`, and writes what /proc/stat would say.
    """

    def __init__(self, stat: Path, cores: set[int]) -> None:
        self.stat = stat
        self._mine = cores
        self._now, self._own = 1000.0, 7.0
        self._idle = [500.0] * 4
        self.write()

    def write(self) -> None:
        lines = [f"cpu  1 0 2 {sum(self._idle) * TICKS:.0f} 0 0 0 0 0 0"]
        for core, idle in enumerate(self._idle):
            waiting = round(idle * TICKS / 2)
            lines.append(f"cpu{core} 1 0 2 {round(idle * TICKS) - waiting} {waiting} 0 0 0 0 0")
        self.stat.write_text("\n".join([*lines, "intr 12 0", "", "ctxt 99"]))

    def run(self, seconds: float, own: float = 0.0, others: float = 0.0) -> None:
        """Lets time pass. own, others: share of this process's cores that they take."""
        self._now += seconds
        self._own += own * seconds * len(self._mine)
        for core in range(4):
            busy = own + others if core in self._mine else 1.0
            self._idle[core] += seconds * (1 - busy)
        self.write()

    def monotonic(self) -> float:
        return self._now

    def times(self) -> Times:
        return Times(self._own / 2, self._own / 2)

    def sched_getaffinity(self, process: int) -> set[int]:
        return self._mine

    def sysconf(self, name: str) -> int:
        return {"SC_CLK_TCK": TICKS}[name]


@pytest.fixture(params=[{0}, {1, 2}, {0, 1, 2, 3}], ids=len)
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    made = Machine(tmp_path / "stat", request.param)
    monkeypatch.setattr(spare, "time", made)
    monkeypatch.setattr(spare, "os", made)
    return made


def watched(machine: Machine, own: float, others: float, seconds: float = 2 * SPAN_S) -> Spare:
    """Looks every now and then while the machine works."""
    watch = Spare(machine.stat)
    follow(watch, machine, own, others, seconds)
    return watch


def follow(watch: Spare, machine: Machine, own: float, others: float, seconds: float) -> None:
    for _ in range(round(seconds / 0.05)):
        watch.look()
        machine.run(0.05, own, others)
    watch.look()


@pytest.mark.parametrize(
    ("own", "others", "busy"),
    [
        (0, 0, False),
        (0, OTHERS_BUSY - 0.1, False),
        (0, OTHERS_BUSY + 0.1, True),
        (0, 1, True),
        (ALL_BUSY - 0.1, 0, False),
        (1, 0, True),
        (0.4, 0.5, False),
        (0.5, 0.5, True),
        (0.2, OTHERS_BUSY + 0.1, True),
    ],
)
def test_cores_are_busy_by_the_work_of_others_or_of_all(
    machine: Machine, own: float, others: float, busy: bool
) -> None:
    assert watched(machine, own, others).busy is busy


def test_there_is_room_on_many_cores_that_rest(machine: Machine) -> None:
    many = len(machine.sched_getaffinity(0)) >= ROOMY_CORES
    assert watched(machine, 0.1, 0.1).roomy is many
    assert not watched(machine, 0.1, 0.9).roomy


def test_nothing_is_busy_before_there_are_two_readings(machine: Machine) -> None:
    watch = Spare(machine.stat)
    assert not watch.busy
    watch.look()
    machine.run(EVERY_S / 2, others=1)
    watch.look()
    assert not watch.busy


def test_only_the_newest_time_counts(machine: Machine) -> None:
    watch = watched(machine, 0, 1, 10)
    assert watch.busy
    follow(watch, machine, 0, 0, SPAN_S + 2 * EVERY_S)
    assert not watch.busy
    follow(watch, machine, 0, 1, SPAN_S + 2 * EVERY_S)
    assert watch.busy


def test_a_short_burst_of_work_is_not_busy(machine: Machine) -> None:
    watch = watched(machine, 0, 0)
    follow(watch, machine, 0, 1, SPAN_S / 3)
    assert not watch.busy


def test_readings_that_were_far_between_count_as_a_whole(machine: Machine) -> None:
    watch = watched(machine, 0, 1)
    machine.run(3600)
    watch.look()
    assert not watch.busy


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "cpu  0 0 0 0 0 0 0 0 0 0\n",
        "".join(f"cpu{core} 0 0 0 0 0 0 0 0 0 0\n" for core in range(4)),
        "cpu3 1 0 2 5000 100 0 0 0 0 0\n",
    ],
    ids=["no file", "empty", "no cores", "zeros", "other cores"],
)
def test_a_system_that_does_not_tell_is_not_busy(machine: Machine, text: str | None) -> None:
    watch = Spare(machine.stat)
    for _ in range(20):
        machine.run(EVERY_S, others=1)
        machine.stat.unlink() if text is None else machine.stat.write_text(text)
        watch.look()
    assert not watch.busy


def test_a_change_is_logged_once(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "tadbot.spare"):
        watch = watched(machine, 0, 1)
        assert [watch.busy for _ in range(3)] == [True] * 3
        follow(watch, machine, 0, 0, 2 * SPAN_S)
        assert not watch.busy
    assert [record.getMessage() for record in caplog.records] == [
        "the cores are busy: nothing is begun ahead",
        "the cores are free again",
    ]
