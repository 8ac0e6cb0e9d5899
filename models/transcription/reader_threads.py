"""Reader threads, on one core each: two pools, of which the one that reads ahead is niced."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from models.engine.cpu.threads import take_cores

# Beside an engine that computes on all cores itself, and at most beside one that does not: each
# keeps memory of its own, and they take turns at Python's lock.
_MIN, _MAX = 2, 4
# Of Linux: enough to give way to the engine's threads, which wait for each other at every layer,
# and not so much that the engine runs out of windows.
_NICENESS = 5


class ReaderThreads:
    """`first` reads what a request is waiting for, `ahead` what the engine will need later.

    `cores` is how many the engine leaves them.
    """

    def __init__(self, cores: int) -> None:
        threads = min(max(cores // 2, _MIN), _MAX)
        self.first = ThreadPoolExecutor(threads, "whisper-read", take_cores, (1,))
        self.ahead = ThreadPoolExecutor(threads, "whisper-read-ahead", _lower_priority)

    def close(self) -> None:
        """End the threads; what they do is completed."""
        self.first.shutdown()
        self.ahead.shutdown()


def _lower_priority() -> None:
    take_cores(1)
    with suppress(OSError, AttributeError):  # not every system knows it
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
