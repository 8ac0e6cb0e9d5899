"""Container image of a bento: Python's slim one, with packages locked as the bento is built."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from bentoml.exceptions import BentoMLException

from api.settings import changed_environment
from models.checkpoints.catalogue import checkpoint_name
from serving.package_places import forbids_indexes, pip_options
from serving.patches.bentoml_image import BentomlLock, LockingImage
from serving.startup import Arguments, read_arguments, read_settings
from serving.torch_build import TRITON, TorchBuild, cpu_build, cuda_build
from serving.uv import Uv, install_uv, uv_environment

# Asks NVIDIA's container runtime for a GPU.
_GPU = {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
# Options of pip, which would publish where the builder finds packages.
_OPTION = "-"


class LockedImage(LockingImage):
    """No build tools, and of `pyproject.toml`'s packages and theirs just the locked versions."""

    def lock(self, source: Path, bentoml_lock: BentomlLock) -> str:
        """Lock, in a bento that is being built, what can be had where pip finds packages."""
        arguments = read_arguments()
        _check_model(arguments)
        text = (source / "pyproject.toml").read_text(encoding="utf-8")
        project = tomllib.loads(text)["project"]
        install_uv(*project["optional-dependencies"]["image"])
        options = pip_options()
        with changed_environment(partial(uv_environment, options)):
            uv = Uv(bentoml_lock.command(), source)
            places = ("no-index = true",) if forbids_indexes(options) else ()
            torch = _torch_build(project, arguments, uv, places)
            self.python_packages(*_packages(project, torch))
            uv.configure(*places, *torch.settings)
            locked = bentoml_lock.lock_image().splitlines()
        # In the bento it holds for those who install, too.
        uv.configure("no-deps = true", *torch.settings)
        self.build_include("uv.toml")
        unwanted = (f"{TRITON}==", _OPTION) if arguments.device == "cpu" else (_OPTION,)
        return "".join(
            f"{_exactly(line, torch)}\n" for line in locked if not line.startswith(unwanted)
        )


def describe_image() -> LockedImage:
    """The image of a bento that is built by this Python."""
    return LockedImage(f"python:{sys.version_info.major}.{sys.version_info.minor}-slim", "none")


def image_variables(arguments: Arguments) -> list[dict[str, str]]:
    """The environment variables of the image, as BentoML wants them."""
    variables = _GPU if arguments.device == "cuda" else {}
    return [{"name": name, "value": value} for name, value in variables.items()]


def _torch_build(
    project: Mapping[str, Any], arguments: Arguments, uv: Uv, places: Sequence[str]
) -> TorchBuild:
    [pin] = filter(_is_torch, project["dependencies"])
    if arguments.device == "cuda":
        return cuda_build(pin)
    torch = cpu_build(pin, uv, places)
    if torch.notice:
        click.echo(torch.notice, err=True)
    return torch


def _packages(project: Mapping[str, Any], torch: TorchBuild) -> list[str]:
    return [torch.requirement if _is_torch(pin) else pin for pin in project["dependencies"]]


def _exactly(line: str, torch: TorchBuild) -> str:
    """A line of the lock; by `==` a build for CPUs, if there is one, would come first."""
    return line.replace("==", "===") if _is_torch(line) and torch.exact else line


def _is_torch(pin: str) -> bool:
    return pin.startswith("torch==")


def _check_model(arguments: Arguments) -> None:
    if read_settings(arguments).default_model != checkpoint_name(arguments.model):
        raise BentoMLException(
            "a bento does not keep WHISPER_DEFAULT_MODEL: unset it, and name the model with "
            "--arg model=NAME"
        )
