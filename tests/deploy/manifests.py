"""Manifests as they reach a cluster, and Compose files as they reach Docker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
OVERLAYS = sorted(path.name for path in (DEPLOY / "kubernetes" / "overlays").iterdir())


def render(overlay: str) -> list[dict[str, Any]]:
    """What `kubectl apply -k` would send of an overlay."""
    return render_folder(f"overlays/{overlay}")


@cache
def render_folder(name: str) -> list[dict[str, Any]]:
    """What `kubectl apply -k` would send of a folder of deploy/kubernetes."""
    found = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    assert found, "kubectl is of the test extra"
    folder = DEPLOY / "kubernetes" / name
    command = [found, "kustomize", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return list(yaml.safe_load_all(done.stdout))


def only(overlay: str, kind: str) -> dict[str, Any]:
    """The one resource of a kind."""
    (found,) = (each for each in render(overlay) if each["kind"] == kind)
    return found


def read(name: str) -> dict[str, Any]:
    """A file of deploy/."""
    return dict(yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8")))
