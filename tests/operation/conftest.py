"""What the tests of operation share: homes of their own for servers that are mistreated."""

from __future__ import annotations

import os
import shutil
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.weights import Weights
from tests.speech_clips import FORMATS


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


def _repeated(path: Path, times: int) -> Path:
    with wave.open(str(FORMATS / "jfk-16k.wav")) as clip, wave.open(str(path), "wb") as made:
        samples = np.frombuffer(clip.readframes(clip.getnframes()), np.int16)[::2]
        made.setparams((1, 1, 8000, 0, "NONE", ""))
        for _ in range(times):
            made.writeframes(((samples >> 8) + 128).astype(np.uint8).tobytes())
    return path
