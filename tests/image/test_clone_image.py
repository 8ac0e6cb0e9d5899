"""The image of a clone, which Compose has built by its Dockerfile, and that of `containerize`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.containerize import DOCKERFILE
from tests.deploy.manifests import read
from tests.image.compose import Compose
from tests.image.container import URL, Container, running, wait_until_ready
from tests.image.workshop import BASE, Workshop
from tests.server import PROJECT
from tests.speech_clips import jfk


@pytest.fixture(scope="module")
def started(workshop: Workshop, compose: Compose, clone_image: str) -> Iterator[Container]:
    """Its container as Compose starts it first: a folder without keys, and Compose's command."""
    service = read("compose.yaml")["services"]["whisper"]
    command = [part.replace("$$", "$") for part in service["command"]]
    options = [f"--env={name}={value}" for name, value in service["environment"].items()]
    options.append(f"--volume={compose.clone}/deploy/secrets:/run/secrets:ro")
    with running(workshop, clone_image, *options, command=command) as container:
        wait_until_ready(container)
        yield container


def test_it_transcribes_without_network_and_says_that_it_has_no_keys(
    compose: Compose, started: Container
) -> None:
    answer = started.ask(
        lambda: httpx.post(
            f"{URL}/v1/audio/transcriptions",
            files={"file": jfk().path.read_bytes()},
            data={"model": "whisper-1"},
            timeout=60,
        )
    )

    assert answer.status_code == 200
    assert "what your country can do for you" in answer.json()["text"]
    assert compose.model in {each["id"] for each in started.get("/v1/models").json()["data"]}
    assert "no keys in deploy/secrets/api-keys" in started.printed


def test_it_has_the_layers_of_containerize(
    workshop: Workshop, image: str, clone_image: str
) -> None:
    ours, theirs = workshop.layers(clone_image), workshop.layers(image)

    assert len(ours) == len(theirs)
    # Base and user; the weights are another model's.
    assert [each.digest for each in ours[:2]] == [each.digest for each in theirs[:2]]
    assert "bento/models" in ours[2].instruction
    assert "/app/.venv" in ours[3].instruction
    assert ours[3].digest == theirs[3].digest


def test_it_is_run_as_that_of_containerize(
    workshop: Workshop, image: str, clone_image: str
) -> None:
    def said(name: str) -> dict[str, object]:
        found: Any = workshop.inspect(name)
        return {**found["Config"], "Labels": None, "Healthcheck": found["Healthcheck"]}

    assert said(clone_image) == said(image)


@pytest.mark.parametrize(
    ("gpu", "visible", "capabilities"),
    [("", "void", "utility"), ("all", "all", "compute,utility")],
)
def test_its_variables_ask_nvidias_runtime_for_gpus(
    workshop: Workshop, tmp_path: Path, gpu: str, visible: str, capabilities: str
) -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    last = text[text.rindex("ARG GPU=") : text.rindex("WORKDIR")]
    (tmp_path / "Dockerfile").write_text(f"FROM {BASE}\n{last}", encoding="utf-8")
    name = "localhost/whisper-bento:variables"
    workshop.run("buildah", "build", f"--build-arg=GPU={gpu}", f"--tag={name}", str(tmp_path))

    config: Any = workshop.inspect(name)["Config"]
    assert f"NVIDIA_VISIBLE_DEVICES={visible}" in config["Env"]
    assert f"NVIDIA_DRIVER_CAPABILITIES={capabilities}" in config["Env"]


def test_its_uv_is_the_one_of_the_project() -> None:
    pins = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [uv] = pins["optional-dependencies"]["image"]
    named = re.findall(r"^ARG UV=(\S+)$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)

    assert named == [uv, uv]
