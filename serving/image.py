"""Container image of a bento: Python's slim one, with packages locked as the bento is built."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from bentoml.exceptions import BentoMLException

from api.settings import names_package_sources
from models.checkpoints.catalogue import checkpoint_name
from serving.patches.bentoml_image import LockingImage
from serving.startup import Arguments, read_arguments, read_settings

# Asks NVIDIA's container runtime for a GPU.
_GPU = {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
# A dependency of openai-whisper on every Linux: a gigabyte, of use on GPUs alone.
_TRITON = "triton=="
# Options of pip, which would publish where the builder finds packages.
_OPTION = "-"


class LockedImage(LockingImage):
    """No build tools, and of `pyproject.toml`'s packages and theirs just the locked versions."""

    def lock(self, source: Path, by_bentoml: Callable[[], str]) -> str:
        """Lock, in a bento that is being built.

        Its `uv.toml`, which uv finds in the folder it works in, holds for those who install, too.
        """
        arguments = read_arguments()
        _check_model(arguments)
        uv = source / "uv.toml"
        settings = _uv_settings(arguments)
        uv.write_text("\n".join(["[pip]", *settings, ""]), encoding="utf-8")
        self.python_packages(*_packages(source / "pyproject.toml", arguments))
        locked = by_bentoml().splitlines()
        uv.write_text("\n".join(["[pip]", "no-deps = true", *settings, ""]), encoding="utf-8")
        self.build_include(uv.name)
        unwanted = (_OPTION, _TRITON) if arguments.device == "cpu" else (_OPTION,)
        return "".join(f"{line}\n" for line in locked if not line.startswith(unwanted))


def describe_image() -> LockedImage:
    """The image of a bento that is built by this Python."""
    return LockedImage(f"python:{sys.version_info.major}.{sys.version_info.minor}-slim", "none")


def image_variables(arguments: Arguments) -> list[dict[str, str]]:
    """The environment variables of the image, as BentoML wants them."""
    variables = _GPU if arguments.device == "cuda" else {}
    return [{"name": name, "value": value} for name, value in variables.items()]


def _packages(project: Path, arguments: Arguments) -> list[str]:
    pins = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    suffix = "+cpu" if arguments.device == "cpu" else ""
    return [f"{pin}{suffix}" if pin.startswith("torch==") else pin for pin in pins]


def _uv_settings(arguments: Arguments) -> list[str]:
    """PyTorch's wheels for CPUs are not on PyPI; uv knows where they are."""
    if arguments.device == "cuda" or names_package_sources():
        return []
    return ['torch-backend = "cpu"']


def _check_model(arguments: Arguments) -> None:
    if read_settings(arguments).default_model != checkpoint_name(arguments.model):
        raise BentoMLException(
            "a bento does not keep WHISPER_DEFAULT_MODEL: unset it, and name the model with "
            "--arg model=NAME"
        )
