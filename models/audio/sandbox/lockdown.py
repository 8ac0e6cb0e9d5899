"""Lockdown of a process for good: rlimits, no new privileges, Landlock."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

from models.audio.sandbox.landlock import deny_all
from models.audio.sandbox.rlimits import Limits

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
# From the signal that says that CPU time is up to the one that ends the process.
_CPU_GRACE = 5
_STATM = Path("/proc/self/statm")


def lock_down(limits: Limits) -> None:
    """From here on: no new file, socket or process, and bounded memory and time.

    What is open stays open. Where the system lacks one of these, the others are applied.
    """
    _limit("RLIMIT_CPU", limits.cpu_seconds, limits.cpu_seconds + _CPU_GRACE)
    if _STATM.exists():
        _limit("RLIMIT_AS", _address_space() + limits.memory_bytes)
    for name in ("RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NPROC"):
        _limit(name, 0)
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0)
        deny_all(libc)
    _limit("RLIMIT_NOFILE", 0)


def _limit(name: str, soft: int, hard: int | None = None) -> None:
    # refused: the limit that is there is a lower one
    with suppress(AttributeError, ValueError, OSError):
        resource.setrlimit(getattr(resource, name), (soft, soft if hard is None else hard))


def _address_space() -> int:
    pages = int(_STATM.read_bytes().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")
