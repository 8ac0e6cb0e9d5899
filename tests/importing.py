"""`whisper-bento` as a process, on a store of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).parent.parent
LISTING = "import bentoml; print(*[model.tag for model in bentoml.models.list()], sep='\\n')"


class Store:
    """A BENTOML_HOME and the commands run on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "BENTOML_HOME": str(home), "NO_PROXY": ""}

    def start(
        self, *arguments: object, before: Callable[[], None] | None = None
    ) -> subprocess.Popen[str]:
        """A Python process; `before` runs in it first."""
        return subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=before,
        )

    def run(
        self, *arguments: object, before: Callable[[], None] | None = None
    ) -> tuple[int, str, str]:
        """Exit status, output and errors of a command."""
        process = self.start("-m", "cli", *arguments, before=before)
        out, errors = process.communicate(timeout=300)
        return process.returncode, out, errors

    def succeed(self, *arguments: object) -> str:
        """The output of a command that must go well."""
        status, out, errors = self.run(*arguments)
        assert status == 0, errors
        return out

    def fail(self, *arguments: object, before: Callable[[], None] | None = None) -> str:
        """The one line of a command that must not go well and must leave nothing."""
        status, out, errors = self.run(*arguments, before=before)
        assert (status, out) == (1, "")
        (line,) = errors.splitlines()
        assert line.startswith("error: ")
        assert self.left() == []
        return line

    def tags(self) -> list[str]:
        """What BentoML's own listing shows."""
        out, errors = self.start("-c", LISTING).communicate(timeout=60)
        assert not errors
        return out.split()

    def left(self) -> list[Path]:
        """Every file but the empty locks."""
        files = (path for path in self.home.rglob("*") if path.is_file())
        return [path for path in files if path.stat().st_size]


def tag_in(out: str) -> str:
    """The tag that an import, or an export, tells of first."""
    return out.split()[0]
