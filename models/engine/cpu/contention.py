"""CPU contention: the cores that other processes leave to an engine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

PERIOD_SECONDS = 1.0
_STAT = Path("/proc/stat")
# Of a line of it: time for users, nice and not, the system, interrupts of both kinds, and what the
# host of a virtual machine took (steal). Idle time lies between.
_BUSY = (1, 2, 3, 6, 7, 8)


class SpareCores:
    """Cores to compute with now, at most `maximum`, one at least, by what others took a period ago.

    Threads of a team wait for each other: one that has to share its core holds up all, and costs
    more than its core is worth. `others` is the CPU time of all other processes, in seconds.
    """

    def __init__(
        self,
        maximum: int,
        others: Callable[[], float | None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._maximum, self._now = maximum, maximum
        self._others, self._clock = others or others_seconds, clock
        self._allowed = len(_allowed())
        self._seen, self._since = self._others(), clock()

    def now(self) -> int:
        """The number of cores; may be called often, as it measures once in a period."""
        elapsed = self._clock() - self._since
        if elapsed >= PERIOD_SECONDS and self._seen is not None:
            seen = self._others() or 0.0
            spare = round(self._allowed - (seen - self._seen) / elapsed)
            self._now = max(1, min(self._maximum, spare))
            self._seen, self._since = seen, self._since + elapsed
        return self._now


def others_seconds() -> float | None:
    """CPU seconds of other processes on the cores that this one may use; None if not known."""
    try:
        lines = _STAT.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    wanted = {f"cpu{number}" for number in _allowed()}
    rows = [fields for line in lines if (fields := line.split()) and fields[0] in wanted]
    ticks = sum(int(fields[place]) for fields in rows for place in _BUSY)
    return ticks / os.sysconf("SC_CLK_TCK") - time.process_time()


def _allowed() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))
