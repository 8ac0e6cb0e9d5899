"""A client that goes away takes its request with it, at whatever stage, and others are served."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from models.capacity.admission import LONG_AT_ONCE
from models.checkpoints.weights import Weights
from tests.operation.traffic import (
    TRANSCRIPTIONS,
    begin,
    clip,
    health,
    is_idle,
    post,
    read_until,
    speech,
    until,
)
from tests.server import Server, serving

# Minutes of work: no client that is to leave in the midst of it comes too late.
LONG = 900
# Seconds of work after which a client leaves: while its file is opened, and a little later.
EARLY = (0.0, 0.1, 0.5)
# Until its windows are being decoded, on any machine.
PATIENCE = (2, 8, 32)
KINDS = {
    "sync": (TRANSCRIPTIONS, {}),
    "translation": ("/v1/audio/translations", {}),
    "stream": (TRANSCRIPTIONS, {"stream": "true"}),
    "native": ("/transcribe", {}),
}


@pytest.fixture(scope="module")
def server(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    weights("base")
    output = tmp_path_factory.mktemp("server") / "output.txt"
    with serving(
        output, WHISPER_DEFAULT_MODEL="base", WHISPER_SLOTS="4", WHISPER_QUEUE_SECONDS="100000"
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def _served_right_afterwards(server: Server) -> Iterator[None]:
    """Nothing is left, and the next request is served as if nothing had been."""
    until(server, is_idle)
    yield
    until(server, is_idle)
    answer = post(server, clip())
    assert "ask what you can do for your country" in answer.json()["text"]
    until(server, is_idle)


def cancelled_after(server: Server, kind: str, seconds: float, heard: bytes = b"") -> int:
    """Windows of a request of that kind that leave the engine when its client leaves.

    It does so after these seconds of work, which begin with what is heard of the answer.
    """
    path, fields = KINDS[kind]
    before = health(server)["cancelled"]
    with closing(begin(server, path, speech(LONG), **fields)) as connection:
        until(server, lambda said: said["queue"]["running"] == 1)
        read_until(connection, heard)
        time.sleep(seconds)
    after = until(server, is_idle)["cancelled"]
    assert after["requests"] == before["requests"] + 1
    # The engine is busy with nothing else: it looks when it is asked the next time.
    assert "ask what you can do for your country" in post(server, clip()).json()["text"]
    return int(health(server)["cancelled"]["windows"] - before["windows"])


@pytest.mark.parametrize("seconds", EARLY)
@pytest.mark.parametrize("kind", KINDS)
def test_client_that_leaves_early(server: Server, kind: str, seconds: float) -> None:
    cancelled_after(server, kind, seconds)


@pytest.mark.parametrize("kind", KINDS)
def test_windows_of_a_client_that_leaves_are_dropped(server: Server, kind: str) -> None:
    assert any(cancelled_after(server, kind, seconds) for seconds in PATIENCE)


def test_client_that_leaves_a_stream_after_its_first_text(server: Server) -> None:
    delta = b"transcript.text.delta"
    assert any(cancelled_after(server, "stream", seconds, delta) for seconds in PATIENCE)


@pytest.mark.parametrize("kind", KINDS)
def test_client_that_leaves_the_line(server: Server, kind: str) -> None:
    path, fields = KINDS[kind]
    before = health(server)["cancelled"]["requests"]
    with ExitStack() as others:
        for _ in range(LONG_AT_ONCE):
            others.enter_context(closing(begin(server, TRANSCRIPTIONS, speech(LONG))))
        until(server, lambda said: said["queue"]["running"] == LONG_AT_ONCE)
        with closing(begin(server, path, speech(LONG), **fields)) as connection:
            until(server, lambda said: said["queue"]["waiting"] == 1)
            if kind == "stream":
                assert b"x-queue-position: 1\r\n" in read_until(connection, b"\r\n\r\n")

        said = until(server, lambda said: said["queue"]["waiting"] == 0)

        assert said["queue"]["running"] == LONG_AT_ONCE
        assert said["cancelled"]["requests"] == before + 1


def test_many_that_leave_at_once(server: Server) -> None:
    before = health(server)["cancelled"]["requests"]
    with ExitStack() as clients:
        for number in range(12):
            path, fields = list(KINDS.values())[number % len(KINDS)]
            clients.enter_context(closing(begin(server, path, speech(LONG), **fields)))
        until(server, lambda said: said["queue"]["running"] + said["queue"]["waiting"] == 12)

    assert until(server, is_idle)["cancelled"]["requests"] == before + 12


def test_clients_that_left_are_no_faults_in_the_log(server: Server) -> None:
    assert "Traceback" not in server.printed
