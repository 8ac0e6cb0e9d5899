"""Tests of the socket for Wyoming's clients, handed down by the parent."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from bentoml.exceptions import BentoMLException

from api.settings import Settings, handed_down_listener
from serving.listener import open_listener, take_listener
from tests.server import SECONDS, free_port

VARIABLE = "WHISPER_WYOMING_LISTENER"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a socket that has been opened and handed down."""
    monkeypatch.setenv(VARIABLE, "")
    port = free_port()
    open_listener(Settings(wyoming_port=port))
    yield port
    os.close(int(os.environ[VARIABLE]))


def test_worker_accepts_on_the_parents_socket(opened: int) -> None:
    program = (
        "from serving.listener import take_listener; listener = take_listener(); "
        "print(listener.get_inheritable()); connection, _ = listener.accept(); "
        "connection.sendall(b'worker')"
    )
    # As circus starts workers.
    worker = subprocess.Popen(
        [sys.executable, "-c", program], close_fds=False, stdout=subprocess.PIPE
    )
    with socket.create_connection(("127.0.0.1", opened), timeout=SECONDS) as client:
        assert client.recv(10) == b"worker"
    assert worker.communicate(timeout=SECONDS)[0] == b"False\n"


def test_port_that_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = Settings(wyoming_port=other.getsockname()[1])
        with pytest.raises(BentoMLException, match="no place for Wyoming's clients"):
            open_listener(settings)

    assert handed_down_listener() is None


def test_worker_without_a_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    with pytest.raises(BentoMLException, match="needs a server started by bentoml serve"):
        take_listener()


def test_other_machines_are_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(VARIABLE, "")
    port = free_port()
    open_listener(Settings(wyoming_port=port, wyoming_host="0.0.0.0", allow_anyone=True))
    os.close(int(os.environ[VARIABLE]))

    assert f"Wyoming's port {port} on 0.0.0.0 has no keys" in caplog.text
