"""Real checkpoints in a store of the tests' own, and openai-whisper over the same weights."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, settings
from whisper.model import Whisper

PROJECT = Path(__file__).parent.parent
# Before anything imports bentoml, which reads it once. Users' own stores stay untouched.
os.environ.setdefault("BENTOML_HOME", str(PROJECT / ".cache" / "bentoml"))
os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
Path(os.environ["BENTOML_HOME"]).mkdir(parents=True, exist_ok=True)

from models.checkpoints import store  # noqa: E402
from models.checkpoints.weights import Weights  # noqa: E402
from models.engine.device.engine_config import EngineConfig  # noqa: E402
from models.engine.engine import Engine  # noqa: E402
from models.engine.start import start_engine  # noqa: E402
from models.transcription.transcriber import Transcriber  # noqa: E402
from scripts.bench.openai_whisper import build_openai_whisper  # noqa: E402
from tests.marking import Marking  # noqa: E402
from tests.tiny import tiny_weights  # noqa: E402

# No time is the same on every machine: an example may take as long as it takes.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("house"), max_examples=20)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """Let tests have their markers by rule."""
    config.pluginmanager.register(Marking(), "marking")


@pytest.fixture(scope="session")
def weights() -> Callable[[str], Weights]:
    """The weights of an official checkpoint, imported into the tests' store if they are not."""

    @cache
    def load(name: str) -> Weights:
        command = [sys.executable, "-m", "cli", "import", name, "--if-missing"]
        subprocess.run(command, cwd=PROJECT, check=True)
        stored = store.find(name)
        assert stored is not None
        return store.load(stored)

    return load


@pytest.fixture(scope="session")
def engine(weights: Callable[[str], Weights]) -> Iterator[Callable[[str], Engine]]:
    """A running float32 engine over an official checkpoint, with openai-whisper's exact tokens."""
    yield from engines(weights, "full")


@pytest.fixture(scope="session")
def thin_engine(weights: Callable[[str], Weights]) -> Iterator[Callable[[str], Engine]]:
    """The same with most of the padding left out: several times faster for short recordings."""
    yield from engines(weights, "thin")


def engines(
    weights: Callable[[str], Weights], padding: Literal["full", "thin"]
) -> Iterator[Callable[[str], Engine]]:
    started: dict[str, Engine] = {}

    def start(name: str) -> Engine:
        if name not in started:
            config = EngineConfig(device="cpu", dtype="float32", padding=padding)
            started[name] = start_engine(weights(name), config)
        return started[name]

    yield start
    for running in started.values():
        running.close()


@pytest.fixture(scope="session")
def reference(weights: Callable[[str], Weights]) -> Callable[[str], Whisper]:
    """openai-whisper's own model over the same weights, in float32 on the CPU."""

    @cache
    def load(name: str) -> Whisper:
        return build_openai_whisper(weights(name))

    return load


@pytest.fixture
def tiny() -> Iterator[Transcriber]:
    """A transcriber over a tiny random checkpoint, with five slots."""
    config = EngineConfig(device="cpu", dtype="float32", slots=5)
    transcriber = Transcriber(start_engine(tiny_weights(), config))
    yield transcriber
    transcriber.close()
