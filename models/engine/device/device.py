"""Choice of an engine's device on this machine, and its state."""

from __future__ import annotations

import torch

from models.errors import DeviceError


def resolve_device(wanted: str) -> torch.device:
    """The device for auto, cpu, cuda or cuda:N.

    Raises:
        DeviceError: a CUDA device was asked for and PyTorch sees none with that number.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        wanted = "cuda" if count else "cpu"
    device = torch.device(wanted)
    if device.type == "cuda" and (device.index or 0) >= count:
        raise DeviceError(
            f"device {wanted!r} was asked for, but PyTorch {torch.__version__} sees {count} CUDA "
            "devices. Check the driver (nvidia-smi) and that this PyTorch has CUDA, or use cpu."
        )
    return device


def worker_device(wanted: str, worker: int | None) -> str:
    """The device for a worker, numbered from 1 on: of several GPUs each has its own."""
    count = torch.cuda.device_count()
    if wanted in ("auto", "cuda") and worker is not None and count > 1:
        return f"cuda:{(worker - 1) % count}"
    return wanted


def describe_device(device: torch.device, threads: int) -> str:
    """The device, or the threads on a CPU, as a person would name it, for the start line."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    none = "" if torch.cuda.is_available() else ", no CUDA device found"
    return f"cpu ({threads} threads{none})"


def still_computes(device: torch.device) -> bool:
    """False for a lost device: after some faults a GPU does nothing more for the process."""
    try:
        torch.ones(1, device=device).item()
    except torch.OutOfMemoryError:
        return True
    except RuntimeError:
        return False
    return True


def device_bytes() -> int:
    """Memory that this process holds on all CUDA devices."""
    if not torch.cuda.is_initialized():
        return 0
    return sum(torch.cuda.memory_reserved(index) for index in range(torch.cuda.device_count()))
