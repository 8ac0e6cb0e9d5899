"""Number of GPUs, found out without PyTorch where there is one at most."""

from __future__ import annotations

from pathlib import Path

from models.engine.device.torch_subprocess import ask_pytorch

# NVIDIA's driver has a directory here for each GPU.
_DRIVER = Path("/proc/driver/nvidia/gpus")
_COUNT = "import torch; print(torch.cuda.device_count())"


def count_gpus(driver: Path = _DRIVER) -> int:
    """Number of GPUs that PyTorch will see.

    Of several, only PyTorch itself knows which it may see and can use: it is asked, which costs
    seconds.

    Raises:
        DeviceError: PyTorch cannot be asked.
    """
    count = len(list(driver.iterdir())) if driver.is_dir() else 0
    return count if count < 2 else ask_pytorch(_COUNT, int)
