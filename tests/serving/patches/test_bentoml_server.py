"""BentoML's server does what its own parts would not: each patch is seen from outside."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from functools import partial

import httpx
import psutil
import pytest
from bentoml.serving import construct_timeouts_args

from serving.patches.bentoml_server import KEEP_ALIVE_SECONDS, longer_keep_alive
from tests.server import SECONDS, Server, serving

AUDIO = b"RIFF\x00\xff"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without a model."""
    folder = tmp_path_factory.mktemp("tiny")
    service = "tests.serving.patches.tiny_service:Tiny"
    with serving(folder / "output.txt", service, BENTOML_HOME=str(folder)) as running:
        yield running


def test_an_answer_may_take_longer_than_bentomls_time_limit(server: Server) -> None:
    answer = httpx.get(f"{server.url}/slow", timeout=SECONDS)

    assert (answer.status_code, answer.text) == (200, "done")


def test_workers_are_told_to_keep_idle_connections(server: Server) -> None:
    [worker] = psutil.Process(server.process.pid).children()
    command = worker.cmdline()

    assert command[command.index("--timeout-keep-alive") + 1] == "75"


@pytest.mark.parametrize(("given", "told"), [(None, KEEP_ALIVE_SECONDS), (20, 20), (200, 200)])
def test_what_was_asked_for_goes_before_the_default(given: int | None, told: int) -> None:
    arguments = longer_keep_alive(construct_timeouts_args, given, None)

    assert arguments == ["--timeout-keep-alive", str(told)]


def test_other_times_are_handed_on() -> None:
    arguments = partial(longer_keep_alive, construct_timeouts_args)

    assert arguments(None, 9)[2:] == ["--timeout-graceful-shutdown", "9"]


@pytest.mark.parametrize(
    "name", ['filename="a.wav"', f'filename="{"a" * 300}.wav"', "filename*=utf-8''a.wav"]
)
def test_a_file_is_taken_with_every_name(server: Server, name: str) -> None:
    head = f'--xXx\r\nContent-Disposition: form-data; name="file"; {name}\r\n\r\n'
    answer = httpx.post(
        f"{server.url}/measure",
        content=head.encode() + AUDIO + b"\r\n--xXx--\r\n",
        headers={"content-type": "multipart/form-data; boundary=xXx"},
        timeout=SECONDS,
    )

    assert (answer.status_code, answer.text) == (200, str(len(AUDIO)))


def test_bytes_that_are_no_http_are_answered_in_the_envelope(server: Server) -> None:
    address = httpx.URL(server.url)
    with socket.create_connection((address.host, address.port or 0), timeout=SECONDS) as made:
        made.sendall(b"nonsense\r\n\r\n")
        head, _, body = made.makefile("rb").read().partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400")
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
