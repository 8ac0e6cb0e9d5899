"""BentoML's own commands on a bento: `bentoml serve TAG`, and `bentoml containerize TAG`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.image.bentos import Bento
from tests.image.container import URL, Container, running, wait_until_ready
from tests.image.workshop import VARIABLES, Workshop
from tests.operation.homes import own_home
from tests.server import serving
from tests.speech_clips import jfk

NAME = "localhost/whisper-bento:plain"


def transcribe(url: str) -> str:
    """The text of the clip, which must be transcribed."""
    answer = httpx.post(
        f"{url}/v1/audio/transcriptions",
        files={"file": jfk().path.read_bytes()},
        data={"model": "whisper-1"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["text"])


@pytest.fixture(scope="module")
def latest(bento: Bento, tmp_path_factory: pytest.TempPathFactory) -> Bento:
    """The bento as it is called where it is the last that was built."""
    home = own_home(tmp_path_factory.mktemp("latest"))
    name, version = bento.tag.split(":")
    bentos = Path(home) / "bentos" / name
    bentos.mkdir(parents=True)
    (bentos / version).symlink_to(bento.path)
    (bentos / "latest").write_text(version, encoding="utf-8")
    return Bento(f"{name}:latest", home)


@pytest.fixture(scope="module")
def plain(workshop: Workshop, latest: Bento, measured: list[str]) -> Iterator[Container]:
    """A container of the image that BentoML makes; all that it writes goes to /tmp."""
    began = time.monotonic()
    workshop.make_plain_image(latest, NAME)
    measured.append(f"`bentoml containerize` took {time.monotonic() - began:.0f} s")
    options = ("--env=WHISPER_ALLOW_ANYONE=true", "--env=BENTOML_HOME=/tmp/bentoml")
    with running(workshop, NAME, *options) as container:
        wait_until_ready(container)
        yield container
    workshop.run("podman", "rmi", "--force", NAME)


def test_the_latest_bento_is_served_by_its_tag(latest: Bento, tmp_path: Path) -> None:
    settings = {"BENTOML_HOME": latest.home, "WHISPER_HOST": "127.0.0.1"}
    with serving(tmp_path / "output.txt", latest.tag, **settings) as server:
        assert "what your country can do for you" in transcribe(server.url)


def test_an_image_of_bentoml_transcribes_without_network(plain: Container) -> None:
    assert "what your country can do for you" in plain.ask(transcribe, URL)
    assert plain.execute("id", "-un") == "bentoml"


def test_an_image_of_bentoml_listens_to_all_and_keeps_nothing_of_the_builder(
    workshop: Workshop, plain: Container
) -> None:
    config: Any = workshop.inspect(NAME)["Config"]

    assert "WHISPER_HOST=0.0.0.0" in config["Env"]
    names = {each.partition("=")[0] for each in config["Env"]}
    assert not {*VARIABLES, "UV_FIND_LINKS"} & names
