"""All that the benchmark of turn-taking found; it does not know how it is told."""

from dataclasses import dataclass, field

from tests.benchmarks.floor import Direct
from tests.benchmarks.others import Busy, Others
from tests.benchmarks.parts import Over, Turn


@dataclass
class Found:
    """All that was found; what was not played is empty."""

    direct: list[Direct] = field(default_factory=list)
    """By utterance, before all talks; then once more after them."""
    errors: tuple[float, float] = (0.0, 0.0)
    """Word errors with the short window and with the full one, in percent."""
    errors_paused: tuple[float, float] = (0.0, 0.0)
    """The same of sentences with a pause: in the talk, and with the full window."""
    clean: list[Turn] = field(default_factory=list)
    waiting: list[Turn] = field(default_factory=list)
    """The same utterances without answering ahead."""
    pauses: list[Turn] = field(default_factory=list)
    barge_in: list[Over] = field(default_factory=list)
    backchannels: list[Over] = field(default_factory=list)
    others: Others | None = None
    busy: Busy | None = None
    busy_waiting: Busy | None = None
    peak_mib: float = 0.0
    took_s: dict[str, float] = field(default_factory=dict)
