"""An engine leaves to other processes the cores that they use."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from models.engine.cpu.contention import PERIOD_SECONDS, SpareCores, others_seconds

ALLOWED = 4
SPIN = "while True: pass"

needs_proc = pytest.mark.skipif(not Path("/proc/stat").exists(), reason="only Linux says it here")


@dataclass
class Machine:
    """A clock, and what others have taken of four cores by then."""

    now: float = 100.0
    taken: float | None = 50.0

    def passes(self, seconds: float, cores: float) -> None:
        """Time in which others take so many cores."""
        assert self.taken is not None
        self.now += seconds
        self.taken += seconds * cores


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr("models.engine.cpu.contention._allowed", lambda: set(range(ALLOWED)))
    return Machine()


def spare(machine: Machine, maximum: int) -> SpareCores:
    return SpareCores(maximum, lambda: machine.taken, lambda: machine.now)


@pytest.mark.parametrize(
    ("maximum", "taken", "left"),
    [(4, 0.0, 4), (4, 0.4, 4), (4, 1.2, 3), (4, 2.0, 2), (4, 9.0, 1), (2, 1.2, 2), (1, 4.0, 1)],
)
def test_others_are_left_what_they_use(
    machine: Machine, maximum: int, taken: float, left: int
) -> None:
    cores = spare(machine, maximum)
    machine.passes(PERIOD_SECONDS, taken)

    assert cores.now() == left


def test_it_is_looked_at_once_in_a_period_and_what_was_is_forgotten(machine: Machine) -> None:
    cores = spare(machine, ALLOWED)
    machine.passes(PERIOD_SECONDS / 2, 4)
    assert cores.now() == 4
    machine.passes(PERIOD_SECONDS / 2, 4)
    assert cores.now() == 1
    machine.passes(PERIOD_SECONDS * 10, 0)
    assert cores.now() == 4


def test_where_nobody_says_all_are_taken(machine: Machine) -> None:
    machine.taken = None
    cores = spare(machine, 3)
    machine.now += 2 * PERIOD_SECONDS

    assert cores.now() == 3


@pytest.fixture
def one_core() -> Iterator[None]:
    """This thread, and what it starts, on one core."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    yield
    os.sched_setaffinity(0, allowed)


@needs_proc
@pytest.mark.usefixtures("one_core")
def test_another_process_is_seen_and_this_one_is_not() -> None:
    # Of what is counted in ticks.
    exact = 0.2
    with subprocess.Popen([sys.executable, "-c", SPIN]) as busy:
        try:
            before, begun, own = others_seconds(), time.monotonic(), time.process_time()
            began = sum(psutil.Process(busy.pid).cpu_times()[:2])
            while (its := sum(psutil.Process(busy.pid).cpu_times()[:2]) - began) < 1.0:
                assert time.monotonic() - begun < 60
            after, wall = others_seconds(), time.monotonic() - begun
            own = time.process_time() - own
        finally:
            busy.kill()

    assert before is not None
    assert after is not None
    assert own > 2 * exact
    assert its - exact < after - before < wall - own + exact
