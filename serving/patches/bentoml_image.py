"""Override of the step in which `bentoml build` locks an image's packages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bentoml.images import Image


class LockingImage(Image, ABC):
    """An image that has a say in what is locked, and in what of the lock is installed."""

    @abstractmethod
    def lock(self, source: Path, by_bentoml: Callable[[], str]) -> str:
        """The lines of the lock, of a bento whose code is in the folder `source`.

        `by_bentoml` locks what the image names by then.
        """

    def _freeze_python_requirements(self, bento_fs: Path, platform_: str | None = None) -> str:
        by_bentoml = partial(super()._freeze_python_requirements, bento_fs, platform_)
        return self.lock(bento_fs / "src", by_bentoml)
