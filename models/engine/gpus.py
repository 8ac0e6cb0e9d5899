"""How many GPUs there are, found out without PyTorch where there is one at most."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from models.errors import DeviceError

# NVIDIA's driver has a directory here for each GPU.
_DRIVER = Path("/proc/driver/nvidia/gpus")
_COUNT = "import torch; print(torch.cuda.device_count())"
_SECONDS = 120


def count_gpus(driver: Path = _DRIVER) -> int:
    """How many GPUs PyTorch will see.

    Which of several it is allowed to see, and whether it can use them, only PyTorch itself knows: a
    process of its own is asked, which costs seconds.

    Raises:
        DeviceError: PyTorch cannot be asked.
    """
    found = len(list(driver.iterdir())) if driver.is_dir() else 0
    if found < 2:
        return found
    try:
        asked = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", _COUNT],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        return int(asked.stdout)
    except (ValueError, subprocess.TimeoutExpired):
        raise DeviceError(f"PyTorch could not count the {found} GPUs of this machine.") from None
