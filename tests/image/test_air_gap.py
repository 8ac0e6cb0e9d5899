"""A model that the image does not bring comes as a file, without network, and stays in a volume."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.image.container import LOCKED_DOWN, URL, running, wait_until_ready
from tests.image.workshop import Workshop
from tests.server import PROJECT
from tests.speech_clips import jfk

MODEL = "tiny.en"


@pytest.fixture
def archive(home: str, tmp_path: Path) -> Path:
    """The model as a file, of a machine that has it."""
    path = tmp_path / "archive"
    command = [sys.executable, "-m", "cli", "models", "export", MODEL, str(path)]
    subprocess.run(
        command, cwd=PROJECT, env={"BENTOML_HOME": home}, check=True, capture_output=True
    )
    return path


@pytest.fixture
def volume(workshop: Workshop) -> Iterator[str]:
    """An option that gives a container a new volume as BentoML's home."""
    name = workshop.run("podman", "volume", "create")
    yield f"--volume={name}:/tmp/bentoml"
    workshop.run("podman", "volume", "rm", "--force", name)


def test_a_model_imported_in_a_container_is_served_by_the_next(
    workshop: Workshop, image: str, archive: Path, volume: str
) -> None:
    options = (*LOCKED_DOWN, volume, f"--volume={archive}:/archive:ro")
    command = ("whisper-bento", "import", MODEL, "--from", "/archive")
    told = workshop.run("podman", "run", "--rm", *options, image, *command)
    assert f"whisper-{MODEL}:" in told

    settings = ("--env=WHISPER_ALLOW_ANYONE=true", f"--env=WHISPER_ON_DEMAND={MODEL}")
    with running(workshop, image, volume, *settings) as container:
        wait_until_ready(container)
        answer = container.ask(
            lambda: httpx.post(
                f"{URL}/v1/audio/transcriptions",
                files={"file": jfk().path.read_bytes()},
                data={"model": MODEL},
                timeout=60,
            )
        )

    assert answer.status_code == 200
    assert "what your country can do for you" in answer.json()["text"]
