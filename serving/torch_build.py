"""PyTorch's build for a bento: for CPUs from wherever it can be had, or else what pip has."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from bentoml.exceptions import BentoMLException

from api.settings import changed_environment
from serving.uv import Uv

# uv looks in PyTorch's own index for it.
CPU_BACKEND = 'torch-backend = "cpu"'
# A dependency of PyTorch and openai-whisper on Linux: a gigabyte, of use on GPUs alone.
TRITON = "triton"
_PATIENCE = {"UV_HTTP_CONNECT_TIMEOUT": "5", "UV_HTTP_RETRIES": "1"}


@dataclass(frozen=True)
class TorchBuild:
    """A build of PyTorch: its requirement, uv's settings to find it, and what must be said of it.

    `notice` is empty where it is the build that was wanted. `exact`: no other build of the version
    will do, also for those who install.
    """

    requirement: str
    settings: tuple[str, ...] = ()
    notice: str = ""
    exact: bool = False


def cuda_build(pin: str) -> TorchBuild:
    """The build for GPUs: any but the CPU one, which a place of the builder may have as well."""
    return TorchBuild(f"{pin},!={_version(pin)}+cpu", exact=True)


def cpu_build(pin: str, uv: Uv, settings: Sequence[str] = ()) -> TorchBuild:
    """The build for CPUs: of pip's places, of PyTorch's own index, or what pip's places have.

    Raises:
        BentoMLException: there is none at all.
    """
    wanted = f"{pin}+cpu"
    with changed_environment(_impatient):
        for backend in ((), (CPU_BACKEND,)):
            asked = uv.compile(wanted, "--no-deps", settings=(*settings, *backend))
            if asked.returncode == 0:
                return TorchBuild(wanted, backend)
    other = uv.compile(pin, "--format=pylock.toml", settings=settings)
    if other.returncode:
        raise BentoMLException(f"{pin} cannot be had where pip finds packages: {_why(other)}")
    notice = (
        f"{wanted} cannot be had from PyTorch's index ({_why(asked)}): {pin} is taken instead from "
        f"where pip finds packages. {_weight(other.stdout)}"
    )
    return TorchBuild(pin, notice=notice)


def _impatient(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables not to wait minutes for an index that is out of reach."""
    return {name: environ.get(name) or value for name, value in _PATIENCE.items()}


def _version(pin: str) -> str:
    return pin.partition("==")[2]


def _why(failed: subprocess.CompletedProcess[str]) -> str:
    """The last cause that uv names."""
    lines = [line.strip() for line in failed.stderr.splitlines() if line.strip()] or ["uv failed"]
    causes = [line for line in lines if line.startswith(("cause:", "error:"))] or lines
    return causes[-1].partition(": ")[2] or causes[-1]


def _weight(lock: str) -> str:
    """What PyTorch and its dependencies weigh, as far as the places of the packages tell."""
    packages: list[dict[str, Any]] = tomllib.loads(lock)["packages"]
    sizes = [_wheel_bytes(each) for each in packages if each["name"] != TRITON]
    cuda = any(each["name"].startswith(("nvidia-c", "cuda-")) for each in packages)
    build = f"With {'CUDA' if cuda else 'no CUDA'} and all that it needs"
    if None in sizes:
        return f"{build} it weighs {'gigabytes' if cuda else 'what its index does not tell'}."
    weight = sum(size for size in sizes if size is not None)
    return f"{build} it weighs {weight / 1e6:,.0f} MB ({len(sizes)} packages)."


def _wheel_bytes(package: dict[str, Any]) -> int | None:
    files: list[dict[str, Any]] = package.get("wheels") or [package.get("sdist", {})]
    for file in files:
        if "size" in file:
            return int(file["size"])
        parts = urlparse(file.get("url", ""))
        path = Path(file.get("path") or unquote(parts.path))
        if parts.scheme in ("", "file") and path.is_file():
            return path.stat().st_size
    return None
