"""CUDA streams and the capture lock that the engines of a process share on a GPU."""

from __future__ import annotations

import threading
import weakref
from functools import cache

import torch

Streams = tuple[torch.cuda.Stream, torch.cuda.Stream]


@cache
def capture_lock() -> threading.Lock:
    """Lock for capturing a graph, or freeing the device's memory.

    A capture fails where another thread waits for all of the device meanwhile, as both do.
    """
    return threading.Lock()


def take_streams(owner: object, device: torch.device) -> Streams:
    """A stream with priority and one without, for this owner alone as long as it lives.

    PyTorch has 32 of each and gives them out in turn, also where the first are still in use: two
    engines on one stream would be in each other's graphs.
    """
    free = _free(device)
    streams = free.pop() if free else (torch.cuda.Stream(device, -1), torch.cuda.Stream(device))
    weakref.finalize(owner, free.append, streams)
    return streams


@cache
def _free(device: torch.device) -> list[Streams]:
    return []
