"""How near danger is in one session: it rises at once and sinks slowly; pure, it has no clock."""

from server.safety.noticing import LEVELS

STEP_S = 20 * 60.0
STEP_TURNS = 5
"""Time and turns at a lower level after which it sinks by one; a denial alone does nothing."""
SCRIPTED_FROM = "high"
"""Level from which only written sentences are said."""


class RiskState:
    """The level that holds for a session.

    carried: what an earlier session ended with; `imminent` was then, so it begins at `high`.
    """

    def __init__(self, carried: str = "none") -> None:
        self._rank = min(LEVELS.index(carried), LEVELS.index("high"))
        self._floor = 0
        self._lower_since: float | None = None
        self._lower_turns = 0

    @property
    def level(self) -> str:
        """One of LEVELS."""
        return LEVELS[self._rank]

    @property
    def scripted(self) -> bool:
        """Whether the language model has no say."""
        return self._rank >= LEVELS.index(SCRIPTED_FROM)

    def take(self, level: str, now_s: float) -> str:
        """Takes the level of a turn, at a time of the session; gives the one that holds now.

        After `imminent` it never sinks below `high`.
        """
        rank = LEVELS.index(level)
        if rank >= self._rank:
            self._rank = rank
            self._floor = max(self._floor, LEVELS.index("high") if level == "imminent" else 0)
            self._lower_since, self._lower_turns = None, 0
            return self.level
        self._lower_since = now_s if self._lower_since is None else self._lower_since
        self._lower_turns += 1
        long_enough = now_s - self._lower_since >= STEP_S
        if long_enough and self._lower_turns >= STEP_TURNS and self._rank > self._floor:
            self._rank -= 1
            self._lower_since, self._lower_turns = None, 0
        return self.level
