"""The bento, its image and a container, made once; what was measured is printed at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.checkpoints.weights import Weights
from tests.image.bentos import Bento, built, wheels
from tests.image.compose import Compose
from tests.image.container import Container, running, wait_until_ready
from tests.image.workshop import Workshop, missing
from tests.operation.homes import own_home
from tests.server import PROJECT

IMAGE = "localhost/whisper-bento:test"
REVISION = "0123456789abcdef0123456789abcdef01234567"
# A key of the builder's, which is nobody else's business.
SECRET = "sk-not-to-be-found-in-any-bento"
MEASURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def measured(pytestconfig: pytest.Config) -> list[str]:
    """Lines for the end of the run."""
    return pytestconfig.stash.setdefault(MEASURES, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    lines = terminalreporter.config.stash.get(MEASURES, [])
    if lines:
        terminalreporter.section("measured")
        terminalreporter.write("\n".join([*lines, ""]))


@pytest.fixture(scope="session")
def home(weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A home for BentoML with the models `base` and `tiny.en`."""
    weights("base"), weights("tiny.en")
    return own_home(tmp_path_factory.mktemp("bentos"))


@pytest.fixture(scope="session")
def bento(home: str) -> Bento:
    """What `bentoml build` makes without any argument, by a builder who has secrets."""
    variables = {"WHISPER_API_KEYS": SECRET, **wheels()}
    return built(home, "--label", f"revision={REVISION}", variables=variables)


@pytest.fixture(scope="session")
def cuda(home: str) -> Bento:
    """The bento of another model, for GPUs."""
    arguments = ("--arg", "model=tiny.en", "--arg", "device=cuda")
    return built(home, *arguments, variables={})


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """Tools to make images; tests are skipped where there are none, which CI must not do."""
    if problems := missing():
        refuse = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        refuse(f"no images here: {', '.join(problems)} (scripts/test-image installs on Debian)")
    made = Workshop(tmp_path_factory.mktemp("workshop"))
    made.make_base()
    yield made
    made.close()


@pytest.fixture(scope="session")
def image(workshop: Workshop, bento: Bento, measured: list[str]) -> str:
    """The bento's image, by name."""
    began = time.monotonic()
    workshop.make_image(bento, IMAGE)
    measured.append(f"the image took {time.monotonic() - began:.0f} s to build")
    return IMAGE


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a clone, without an environment of Python's."""
    folder = tmp_path_factory.mktemp("clone")
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def compose(workshop: Workshop, clone: Path, home: str) -> Compose:
    """Compose of the clone, with `tiny.en`."""
    archive = clone.parent / "archive"
    command = [sys.executable, "-m", "cli", "models", "export", "tiny.en", str(archive)]
    subprocess.run(
        command, cwd=PROJECT, env={"BENTOML_HOME": home}, check=True, capture_output=True
    )
    return Compose(workshop, clone, "tiny.en", archive)


@pytest.fixture(scope="session")
def clone_image(compose: Compose, image: str, measured: list[str]) -> str:
    """Its image; after the other one, whose packages it has, if its lock is the same."""
    began = time.monotonic()
    compose.run("build")
    measured.append(f"Compose took {time.monotonic() - began:.0f} s to build the image of a clone")
    return compose.image


@pytest.fixture(scope="session")
def container(workshop: Workshop, image: str, measured: list[str]) -> Iterator[Container]:
    """A container that is ready, open to all in its network, which are the tests."""
    began = time.monotonic()
    options = ("--env=WHISPER_ALLOW_ANYONE=true", f"--volume={PROJECT}/tests:/checkout/tests:ro")
    with running(workshop, image, *options) as started:
        wait_until_ready(started)
        measured.append(f"from `podman run` to ready: {time.monotonic() - began:.1f} s")
        yield started


@pytest.fixture(scope="session")
def changed(home: str, tmp_path_factory: pytest.TempPathFactory) -> Bento:
    """The same bento but for a line of its code."""
    checkout = copied(tmp_path_factory.mktemp("checkout"))
    service = checkout / "service.py"
    service.write_text(f"{service.read_text('utf-8')}\n# A line more.\n", encoding="utf-8")
    return built(home, variables=wheels(), checkout=checkout)


def copied(folder: Path) -> Path:
    """A copy of what a bento is built from."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("api", "models", "scripts", "serving"):
        shutil.copytree(PROJECT / name, folder / name, ignore=ignored)
    for name in ("service.py", "bentofile.yaml", "pyproject.toml", "LICENSE"):
        shutil.copy(PROJECT / name, folder)
    return folder
