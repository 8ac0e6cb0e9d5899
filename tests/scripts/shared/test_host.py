"""CPU time and memory of a process, with all that it has started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.shared.host import cpu_seconds, peak_memory

_MIB = 1 << 20
# Computes, lets a process of its own compute, and lives on with so much memory.
_PROGRAM = f"""
import os, sys, time
def compute():
    while time.process_time() < 0.5:
        pass
compute()
if pid := os.fork():
    os.waitpid(pid, 0)
else:
    compute()
    os._exit(0)
held = b"x" * {64 * _MIB}
print("done", flush=True)
sys.stdin.read()
"""


@contextmanager
def computing() -> Iterator[None]:
    """A process below this one that has done its work and has not ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        yield


def test_cpu_seconds_are_those_of_all_processes() -> None:
    before = cpu_seconds()
    with computing():
        assert cpu_seconds() - before > 0.9
    assert cpu_seconds() - before > 0.9


def test_peak_memory_is_that_of_all_processes() -> None:
    before = peak_memory()
    with computing():
        assert peak_memory() - before > 64 * _MIB
