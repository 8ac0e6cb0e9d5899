"""A running server reads recordings in processes that have nothing of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from models.checkpoints.weights import Weights
from tests.operation.processes import LONGEST_SECONDS, end, eventually, template
from tests.server import Server, serving
from tests.speech_clips import jfk
from tests.transcribing import recording

KEY = "a-key-of-the-server"


@pytest.fixture(scope="module")
def server(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    weights("tiny.en")
    folder = tmp_path_factory.mktemp("server")
    settings = {"WHISPER_DEFAULT_MODEL": "tiny.en", "WHISPER_MAX_AUDIO_SECONDS": "20"}
    with serving(folder / "output.txt", WHISPER_API_KEYS=KEY, **settings) as running:
        yield running


def post(server: Server, path: Path) -> httpx.Response:
    with path.open("rb") as file:
        return httpx.post(
            f"{server.url}/v1/audio/transcriptions",
            headers={"Authorization": f"Bearer {KEY}"},
            data={"model": "whisper-1"},
            files={"file": file},
            timeout=LONGEST_SECONDS,
        )


def test_template_is_there_before_the_first_request_without_models_and_secrets(
    server: Server,
) -> None:
    process = template(server)

    assert not [name for name in process.environ() if name.startswith(("WHISPER", "BENTOML"))]
    assert not [each.path for each in process.memory_maps() if "torch" in each.path]
    assert process.num_threads() == 1


def test_killed_template_is_replaced_at_the_next_request(server: Server) -> None:
    killed = template(server)
    end(killed)

    answer = post(server, jfk().path)

    assert answer.status_code == 200, answer.text
    assert "country" in answer.json()["text"]
    assert template(server) != killed
    assert eventually(lambda: template(server).children() == [])


def test_recording_beyond_the_limit_is_a_400_that_says_both_figures(
    server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "long.flac"
    path.write_bytes(recording(30).getvalue())

    answer = post(server, path)

    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert "20 seconds are the most that is taken, and it has 30.00 or more" in message
