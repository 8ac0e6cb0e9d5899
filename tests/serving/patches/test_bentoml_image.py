"""Lock of an image's packages, in place of BentoML's own."""

from __future__ import annotations

from pathlib import Path

from serving.patches.bentoml_image import BentomlLock, LockingImage


class Image(LockingImage):
    """Locks one package, and asks nobody."""

    def lock(self, source: Path, bentoml_lock: BentomlLock) -> str:
        """A line that names the folder of the code."""
        assert bentoml_lock.command()[-2:] == ["pip", "compile"]
        return f"./{source.name}\n"


def test_bentoml_installs_what_the_image_has_locked(tmp_path: Path) -> None:
    described = Image("python:3.11-slim", "none").freeze(tmp_path, [])

    assert described.python_requirements == "./src\n"
