"""Tests of a server that is short of something: of files, of room on the disk, of quick clients."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.operation.processes import (
    LONGEST_SECONDS,
    eventually,
    files,
    mistreated,
    transcribe,
    transcribe_natively,
    workers,
)
from tests.server import Server

CONNECTIONS = 1000
HEADERS = b"POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\n"
BODY = (
    HEADERS + b"content-length: 100000\r\ncontent-type: multipart/form-data; boundary=b\r\n\r\n"
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
)


@contextmanager
def open_files(maximum: int) -> Iterator[None]:
    """Let this process, and those it starts, have so many files open unless they ask."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def slow_client(server: Server, begun: bytes) -> socket.socket:
    """A connection that has sent the beginning of a request."""
    host, port = server.url.removeprefix("http://").split(":")
    made = socket.create_connection((host, int(port)), timeout=LONGEST_SECONDS)
    made.sendall(begun)
    made.setblocking(False)
    return made


def is_ended(client: socket.socket) -> bool:
    """Send one byte more; whether the server has answered or closed."""
    try:
        client.send(b"x")
        client.recv(100)
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


def test_a_thousand_slow_clients_keep_nobody_waiting_and_are_ended(home: Path) -> None:
    with ExitStack() as stack:
        with open_files(256):
            server = stack.enter_context(mistreated(home))
        stack.enter_context(open_files(CONNECTIONS + 500))
        [worker] = workers(server)
        assert transcribe(server).status_code == 200
        files_before, memory_before = worker.num_fds(), worker.memory_info().rss
        slow = [
            stack.enter_context(slow_client(server, begun))
            for begun in (HEADERS, BODY)
            for _ in range(CONNECTIONS // 2)
        ]
        assert eventually(lambda: worker.num_fds() > CONNECTIONS)
        assert transcribe(server).status_code == 200

        end = time.monotonic() + LONGEST_SECONDS
        while slow and time.monotonic() < end:
            slow = [each for each in slow if not is_ended(each)]
            time.sleep(1)
        assert slow == []
        # A few files are those of connections kept open; the memory, 0.2 MB a client at most.
        assert eventually(lambda: worker.num_fds() <= files_before + 5)
        assert worker.memory_info().rss - memory_before < 200e6
        assert transcribe(server).status_code == 200


def test_an_upload_that_the_disk_has_no_room_for_is_refused_and_forgotten(
    home: Path, hours: Path
) -> None:
    with mistreated(home, WHISPER_MAX_UPLOAD_MIB="0") as server:
        [worker] = workers(server)
        assert transcribe(server).status_code == 200
        before = worker.num_fds()
        worker.rlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        refused = [ask(server, hours) for ask in (transcribe, transcribe_natively) * 2]

        assert [each.status_code for each in refused] == [503, 503, 503, 503]
        assert {each.json()["error"]["code"] for each in refused} == {"no_room"}
        assert eventually(lambda: worker.num_fds() <= before)
        assert files(home) == []
        assert transcribe(server).status_code == 200
