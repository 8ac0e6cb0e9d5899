"""The threads that read recordings: on one core each, and behind the engine where nobody waits."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import torch

# As many as are busy at once: each keeps memory of its own.
_THREADS = 2
# Of Linux: enough to give way to the engine's threads, which wait for each other at every layer,
# and not so much that the engine runs out of windows.
_NICENESS = 5


class Readers:
    """`first` reads what a request is waiting for, `ahead` what the engine will need later."""

    def __init__(self) -> None:
        self.first = ThreadPoolExecutor(_THREADS, "whisper-read", _one_core)
        self.ahead = ThreadPoolExecutor(_THREADS, "whisper-read-ahead", _give_way)

    def close(self) -> None:
        """End the threads; what they do is completed."""
        self.first.shutdown()
        self.ahead.shutdown()


def _one_core() -> None:
    # PyTorch keeps the number of threads for each thread: the engine's stays as it is.
    torch.get_num_threads()
    torch.set_num_threads(1)


def _give_way() -> None:
    _one_core()
    with suppress(OSError, AttributeError):  # not every system knows it
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
