"""Override of the step in which `bentoml build` locks an image's packages."""

from __future__ import annotations

import platform
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bentoml.images import Image


@dataclass(frozen=True)
class BentomlLock:
    """How BentoML locks: all that an image names by then; and the command for other packages."""

    lock_image: Callable[[], str]
    command: Callable[[], list[str]]


class LockingImage(Image, ABC):
    """An image that has a say in what is locked, and in what of the lock is installed."""

    @abstractmethod
    def lock(self, source: Path, bentoml_lock: BentomlLock) -> str:
        """The lines of the lock, of a bento whose code is in the folder `source`."""

    def _freeze_python_requirements(self, bento_fs: Path, platform_: str | None = None) -> str:
        lock_image = partial(super()._freeze_python_requirements, bento_fs, platform_)
        return self.lock(bento_fs / "src", BentomlLock(lock_image, partial(_command, platform_)))


def _command(platform_: str | None) -> list[str]:
    """`uv pip compile` with the uv and for the platform that BentoML takes."""
    from _bentoml_sdk.images import DEFAULT_LOCK_PLATFORM  # type: ignore[attr-defined]  # not exported
    from bentoml._internal.configuration import get_uv_command

    if not platform_ and (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        platform_ = DEFAULT_LOCK_PLATFORM
    chosen = [f"--python-platform={platform_}"] if platform_ else []
    return [*get_uv_command(), "pip", "compile", *chosen]
