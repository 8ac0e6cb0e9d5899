"""uv, which locks a bento's packages: the release that is pinned, and where it looks."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.package_places import uv_variables

# The best version of all indexes: uv would stop at the first one that knows a package.
_AS_PIP = 'index-strategy = "unsafe-best-match"'


@dataclass(frozen=True)
class Uv:
    """`uv pip compile` for the platform of the image, in a folder with a `uv.toml`."""

    command: Sequence[str]
    folder: Path

    def compile(
        self, requirement: str, *options: str, settings: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Resolve a requirement, with these lines in uv's configuration."""
        self.configure(*settings)
        return subprocess.run(  # noqa: S603 - as BentoML runs it
            [*self.command, "--no-header", "--no-annotate", "--quiet", *options, "-"],
            cwd=self.folder,
            input=requirement,
            capture_output=True,
            text=True,
            check=False,
        )

    def configure(self, *settings: str) -> None:
        """Write the configuration that uv finds in the folder in which it works."""
        text = "\n".join(["[pip]", _AS_PIP, *settings, ""])
        (self.folder / "uv.toml").write_text(text, encoding="utf-8")


def install_uv(pin: str) -> None:
    """Have pip install it beside BentoML, unless it is there.

    Where that fails BentoML takes the one in PATH, or says that there is none.
    """
    if importlib.util.find_spec("uv") is None:
        command = [sys.executable, "-m", "pip", "install", "-qq", "--no-input", pin]
        subprocess.run(command, capture_output=True, check=False)  # noqa: S603


def uv_environment(options: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for it to look where pip does by these options, and for this Python.

    BentoML takes the first uv in PATH, and uv the first Python.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")])
    return {"PATH": path, "UV_PYTHON": sys.executable, **uv_variables(options, environ)}
