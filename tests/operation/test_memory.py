"""An engine that has worked for long holds what it held after a while."""

from __future__ import annotations

import gc
import os
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from models.engine.decoding.sequence import Window
from models.engine.device.engine_config import EngineConfig
from models.engine.engine import Engine
from models.engine.start import start_engine
from tests.tiny import tiny_weights

STATM = Path("/proc/self/statm")


def window(seed: int) -> Window:
    mel = torch.randn(80, 3000, generator=torch.Generator().manual_seed(seed))
    return Window(request="r", audio=mel, language="en")


def used_after(engine: Engine, rounds: int) -> int:
    """Bytes of this process after so many times ten windows."""
    for _ in range(rounds):
        for future in [engine.submit(window(seed)) for seed in range(10)]:
            future.result(60)
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not STATM.exists(), reason="only Linux tells a process's memory like this")
def test_many_requests_leave_memory_as_it_was() -> None:
    config = EngineConfig(device="cpu", slots=3, encode_batch=2)
    with closing(start_engine(tiny_weights(), config)) as engine:
        used = [used_after(engine, rounds) for rounds in (2, 6, 6, 6)]

        # What leaks does so each time; a heap that was in pieces grows once.
        assert min(later - before for before, later in pairwise(used)) < 2_000_000
        assert engine.scheduler.is_idle
