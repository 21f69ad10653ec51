"""Whether the machine has room for work that may be in vain; it does not know which work."""

import logging
import os
import time
from collections import deque
from pathlib import Path

log = logging.getLogger("tadbot.spare")

STAT = Path("/proc/stat")
EVERY_S = 0.25
SPAN_S = 1.0
"""Time over which it is judged how busy the cores are."""
OTHERS_BUSY = 0.6
"""Share of this server's cores taken by others from which nothing is begun ahead."""
ALL_BUSY = 0.92
"""The same with the server's own work, as when many talk at once."""
ROOMY_CORES = 4
"""With fewer, a look at half a sentence may delay the one at all of it."""


class Spare:
    """Watches the cores that this process may use."""

    def __init__(self, stat: Path = STAT) -> None:
        self._stat = stat
        self._seen: deque[tuple[float, float, float]] = deque()
        self._busy = False

    def look(self) -> None:
        """Takes a reading, if the last one is old enough. Call it now and then."""
        now = time.monotonic()
        if self._seen and now - self._seen[-1][0] < EVERY_S:
            return
        own = os.times()
        self._seen.append((now, self._idle_s(), own.user + own.system))
        while len(self._seen) > 2 and now - self._seen[1][0] >= SPAN_S:
            self._seen.popleft()

    @property
    def roomy(self) -> bool:
        """Whether there is room for work that is of little use, such as words half said."""
        return len(os.sched_getaffinity(0)) >= ROOMY_CORES and not self.busy

    @property
    def busy(self) -> bool:
        """Whether the cores are busy; False where the system does not tell."""
        if len(self._seen) < 2:
            return False
        (begin, idle, own), (end, idle_now, own_now) = self._seen[0], self._seen[-1]
        cores = len(os.sched_getaffinity(0))
        taken = 1 - (idle_now - idle) / ((end - begin) * cores)
        others = taken - (own_now - own) / ((end - begin) * cores)
        busy = others > OTHERS_BUSY or taken > ALL_BUSY
        if busy != self._busy:
            self._busy = busy
            log.info("the cores are %s", "busy: nothing is begun ahead" if busy else "free again")
        return busy

    def _idle_s(self) -> float:
        """Adds up the idle seconds of these cores since the machine started.

        Where the system does not tell of each of them, as in some containers, they are idle.
        """
        try:
            lines = self._stat.read_text().splitlines()
        except OSError:
            lines = []
        mine = {f"cpu{one}" for one in os.sched_getaffinity(0)}
        fields = [line.split() for line in lines]
        ticks = [int(one[4]) + int(one[5]) for one in fields if one and one[0] in mine]
        if len(ticks) < len(mine) or not any(ticks):
            return time.monotonic() * len(mine)
        return sum(ticks) / os.sysconf("SC_CLK_TCK")
