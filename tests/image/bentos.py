"""Bentos of the tests' own: `bentoml build` in a process, into a home of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.server import PROJECT

BUILD_SECONDS = 300
# Where packages are, which the tests say themselves.
SOURCES = ("UV_TORCH_BACKEND", "UV_FIND_LINKS", "UV_INDEX", "UV_EXTRA_INDEX_URL")


@dataclass(frozen=True)
class Bento:
    """A bento in the store of `home`."""

    tag: str
    home: str

    @property
    def path(self) -> Path:
        """Its folder."""
        return Path(self.home) / "bentos" / self.tag.replace(":", "/")

    @property
    def info(self) -> dict[str, object]:
        """What `bento.yaml` says."""
        return dict(yaml.safe_load((self.path / "bento.yaml").read_text(encoding="utf-8")))

    @property
    def locked(self) -> dict[str, str]:
        """The packages of its lock, with their versions."""
        lines = (self.path / "env/python/requirements.txt").read_text(encoding="utf-8").split()
        # By `===` no other build of the version will do.
        return dict(re.split("===?", line) for line in lines)

    @property
    def files(self) -> set[str]:
        """The code that it carries, and what lies beside it."""
        source = self.path / "src"
        return {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}


def wheels() -> dict[str, str]:
    """What says where PyTorch's wheels for CPUs are: a folder of pip's, or nothing."""
    folder = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS")
    return {"UV_FIND_LINKS": folder} if folder else {}


def build(
    home: str, *arguments: str, variables: Mapping[str, str], checkout: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    """`bentoml build` of a checkout, with these environment variables."""
    inherited = {name: value for name, value in os.environ.items() if name not in SOURCES}
    return subprocess.run(
        [sys.executable, "-m", "bentoml", "build", "-o", "tag", *arguments],
        cwd=checkout,
        env={**inherited, "BENTOML_HOME": home, **variables},
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )


def built(
    home: str, *arguments: str, variables: Mapping[str, str], checkout: Path = PROJECT
) -> Bento:
    """The bento of a build that must succeed."""
    done = build(home, *arguments, variables=variables, checkout=checkout)
    found = re.search(r"__tag__:(\S+)", done.stdout)
    assert done.returncode == 0, done.stderr
    assert found, done.stdout
    return Bento(found.group(1), home)
