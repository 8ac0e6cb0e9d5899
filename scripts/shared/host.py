"""Host description: hardware, versions, and the CPU time and memory of a process."""

from __future__ import annotations

import os
import platform
import resource
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

_FLAGS = ("amx_tile", "amx_bf16", "amx_int8", "avx512_bf16", "avx512_vnni", "avx512f", "avx2")
_PACKAGES = (
    "torch",
    "openai-whisper",
    "faster-whisper",
    "ctranslate2",
    "onnxruntime",
    "pywhispercpp",
    "av",
    "numpy",
)


def cores() -> int:
    """CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe_host() -> dict[str, object]:
    """CPU, its instruction sets that matter to GEMMs, GPU and versions, for the report."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "cpu": _cpu_field("model name") or platform.processor() or platform.machine(),
        "flags": [flag for flag in _FLAGS if flag in _cpu_field("flags").split()],
        "cores": cores(),
        "load_average": os.getloadavg()[0],
        "gpu": gpu,
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def cpu_seconds() -> float:
    """CPU time so far of this process and all below it, with those that have ended on Linux."""
    process = psutil.Process()
    return sum(map(_cpu_seconds, (process, *process.children(recursive=True))))


def reset_peak_memory() -> None:
    """Let the peak begin anew; only Linux can, elsewhere it includes loading the model."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory() -> int:
    """The most resident memory of this process, and what those below it hold now, in bytes.

    What is shared among them is counted once where the system tells.
    """
    below = psutil.Process().children(recursive=True)
    return _own_peak_memory() + sum(map(_held_memory, below))


def _own_peak_memory() -> int:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _held_memory(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        with suppress(psutil.AccessDenied, AttributeError):
            return int(process.memory_full_info().pss)
        return int(process.memory_info().rss)
    return 0


def _cpu_seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        used = process.cpu_times()
        return float(used.user + used.system + used.children_user + used.children_system)
    return 0.0


def _cpu_field(name: str) -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return ""


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
