"""Arguments that `whisper-bento containerize` gives each build tool."""

from __future__ import annotations

import bentoml
import pytest

from cli.containerize import DOCKERFILE, TOOLS, build_command, main, stages_after_bento
from tests.image.bentos import Bento

SOURCES = {"UV_FIND_LINKS": "/wheels", "UV_INDEX": "", "WHISPER_API_KEYS": "a-key-of-somebody"}


@pytest.mark.parametrize("tool", TOOLS)
def test_tools_are_told_where_packages_are_and_nothing_else_of_the_environment(
    tool: str, bento: Bento
) -> None:
    command = build_command(bentoml.Bento.from_path(bento.path), tool, None, SOURCES)

    assert command[:2] == [tool, "build"]
    own = ["WHISPER_HOST=0.0.0.0"]
    values = [each.partition("=")[2] for each in command if each.startswith("--build-arg=")]
    assert values == ["BASE=python:3.11-slim", "UV=uv==0.13.9", *own, "UV_FIND_LINKS=/wheels"]


def test_tools_are_told_of_gpus(cuda: Bento) -> None:
    command = build_command(bentoml.Bento.from_path(cuda.path), "docker", None, {})

    assert "--build-arg=GPU=all" in command


def test_stages_after_the_bento_take_it_as_their_context() -> None:
    text = stages_after_bento(DOCKERFILE.read_text(encoding="utf-8"))

    assert " AS bento" not in text
    assert "/bento/" not in text.replace("/home/bentoml/bento/", "")
    assert "COPY src/uv.toml env/python/requirements.txt ./" in text
    assert "COPY models /home/bentoml/bento/models" in text


def test_docker_is_told_what_it_knows(bento: Bento) -> None:
    command = build_command(bentoml.Bento.from_path(bento.path), "docker", "mirror/python", {})

    assert "--build-arg=BASE=mirror/python" in command
    options = {each.partition("=")[0] for each in command[2:]}
    assert options == {"--build-arg", "--label"}


def test_a_bento_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nobodys:1", "--tag=nobodys"]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert "nobodys:1" in printed
