"""A server with everything that can be seen of it turned on, and homes for servers that suffer."""

from __future__ import annotations

import os
import shutil
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from models.checkpoints.weights import Weights
from tests.operation.collector import Collector, collecting
from tests.operation.homes import own_home
from tests.operation.processes import mistreated
from tests.server import Server, free_port, serving
from tests.speech_clips import FORMATS


@dataclass(frozen=True)
class Seen:
    """A server that logs JSON and is traced, the collector of its spans, and its other port."""

    server: Server
    collector: Collector
    wyoming_port: int


@pytest.fixture(scope="session")
def seen(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seen]:
    """`tiny.en`, logging JSON, with its spans sent here at once, and with a port for Wyoming."""
    weights("tiny.en")
    folder, wyoming_port = tmp_path_factory.mktemp("seen"), free_port()
    settings = {
        "BENTOML_HOME": own_home(folder),
        "WHISPER_DEFAULT_MODEL": "tiny.en",
        "WHISPER_LOG_FORMAT": "json",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "WHISPER_WYOMING_PORT": str(wyoming_port),
    }
    with (
        collecting() as collector,
        serving(folder / "output.txt", WHISPER_OTLP_ENDPOINT=collector.url, **settings) as server,
    ):
        yield Seen(server, collector, wyoming_port)


@pytest.fixture(scope="session")
def plain(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """An open server of `tiny.en` with no setting else, which any client may treat badly."""
    weights("tiny.en")
    with mistreated(Path(own_home(tmp_path_factory.mktemp("plain")))) as running:
        yield running


@pytest.fixture
def home(weights: Callable[[str], Weights], tmp_path: Path) -> Path:
    """A home for BentoML with `tiny.en` alone, and with room for temporary files in `tmp`."""
    weights("tiny.en")
    models = Path(os.environ["BENTOML_HOME"]) / "models" / "whisper-tiny.en"
    shutil.copytree(models, tmp_path / "home" / "models" / models.name)
    (tmp_path / "home" / "temporary").mkdir()
    return tmp_path / "home"


@pytest.fixture(scope="session")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hours of speech, which no server of the tests gets to the end of."""
    return _repeated(tmp_path_factory.mktemp("hours") / "hours.wav", 1000)


@pytest.fixture(scope="session")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of speech, which takes a moment."""
    return _repeated(tmp_path_factory.mktemp("minute") / "minute.wav", 6)


@pytest.fixture(scope="session")
def five_minutes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five minutes of speech, which take a while."""
    return _repeated(tmp_path_factory.mktemp("five") / "minutes.wav", 27)


def _repeated(path: Path, times: int) -> Path:
    with wave.open(str(FORMATS / "jfk-16k.wav")) as clip, wave.open(str(path), "wb") as made:
        samples = np.frombuffer(clip.readframes(clip.getnframes()), np.int16)[::2]
        made.setparams((1, 1, 8000, 0, "NONE", ""))
        for _ in range(times):
            made.writeframes(((samples >> 8) + 128).astype(np.uint8).tobytes())
    return path
