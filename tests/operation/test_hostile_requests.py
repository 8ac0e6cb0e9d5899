"""URLs, pickles, and bodies and headers of any size: refused, and nothing else happens."""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process_tree import memory
from tests.server import Server
from tests.wire.http import CLIP, SECONDS, TEXT, connect, error_of

NATIVE = ["/transcribe", "/translate"]
PATHS = ["/v1/audio/transcriptions", *NATIVE]
PICKLE = "application/vnd.bentoml+pickle"
MEBIBYTE = 1024 * 1024
BOUNDARY = {"content-type": "multipart/form-data; boundary=b"}


@pytest.fixture
def server(plain: Server) -> Server:
    return plain


def post(url: str, **sent: Any) -> httpx.Response:
    """The answer to what is sent there."""
    return httpx.post(url, timeout=SECONDS, **sent)


@pytest.fixture(autouse=True)
def still_serving(server: Server) -> Iterator[None]:
    """After each test the server answers as before, and has not failed meanwhile."""
    yield
    answer = post(f"{server.url}/transcribe", files={"file": CLIP.open("rb")}).json()
    assert answer["text"].lower() == TEXT.lower()
    assert server.printed.count("Traceback") == 0


@pytest.mark.parametrize("path", [f"{path}%0A" for path in PATHS])
def test_path_that_only_routes_pass_over(server: Server, path: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/a.wav"
        answer = post(f"{server.url}{path}", json={"file": url, "model": "tiny.en"})
        listener.settimeout(0.5)
        with pytest.raises(TimeoutError):
            listener.accept()

    assert error_of(answer, 404)["message"].startswith("Not Found: POST /")


@pytest.mark.parametrize("path", PATHS[:2])
@pytest.mark.parametrize(
    "name",
    [b"", b"a" * 300, "ä".encode() * 1000, b"a\x00b.flac", b"..", b"/etc/passwd", b"a/b\\c"],
    ids=["none", "long", "long in bytes", "NUL", "dots", "path", "slashes"],
)
def test_names_that_no_file_has(server: Server, path: str, name: bytes) -> None:
    disposition = b'Content-Disposition: form-data; name="file"; filename="%b"' % name
    file = b"--b\r\n%b\r\n\r\n%b\r\n" % (disposition, CLIP.read_bytes())
    model = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ntiny.en\r\n'
    body = file + model + b"--b--\r\n"
    answer = post(f"{server.url}{path}", content=body, headers=BOUNDARY)

    assert answer.status_code == 200, answer.text
    assert answer.json()["text"].lower() == TEXT.lower()


@pytest.mark.parametrize("path", PATHS)
def test_url_in_place_of_a_file_is_not_fetched(server: Server, path: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/a.wav"
        target = f"{server.url}{path}"
        answers = [
            post(target, files={"file": (None, url), "model": (None, "tiny.en")}),
            post(target, files={"file": (None, f'"{url}"'), "model": (None, "tiny.en")}),
            post(target, data={"file": url, "model": "tiny.en"}),
            post(target, json={"file": url, "model": "tiny.en"}),
            post(target, content=url, headers={"content-type": "text/plain"}),
        ]
        listener.settimeout(0.5)
        with pytest.raises(TimeoutError):
            listener.accept()

    messages = [error_of(answer, 400)["message"] for answer in answers]
    assert messages[:2] == ["The field 'file' must be a file part with a file name."] * 2
    as_form, as_json, as_text = messages[2:]
    assert "must be multipart/form-data" in as_form
    assert "must be multipart/form-data" in as_text
    # The OpenAI paths take JSON, which has the recording in it.
    is_openai = path.startswith("/v1")
    assert ("'input_audio' is missing" if is_openai else "must be multipart/form-data") in as_json


class Payload:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = str(mark)

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self.mark,)


@pytest.mark.parametrize("path", [*PATHS, "/", "/health", "/metrics", "/readyz"])
def test_nothing_is_unpickled(server: Server, path: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    data = pickle.dumps(Payload(mark))
    target = f"{server.url}{path}"
    array = {"buffer-lengths": str(len(data)), "payload-container": "NdarrayContainer"}
    array |= {"args-number": "1", "payload-meta": '{"format": "pickle5"}'}
    kinds = [PICKLE, f"{PICKLE}; charset=x", PICKLE.upper(), "application/octet-stream", ""]
    answers = [
        post(target, content=data, headers={"content-type": kind, **headers})
        for kind in kinds
        for headers in ({}, array)
    ]
    for name in ("file", "model", "prompt"):
        form = {name: ("a.pkl", data, PICKLE)}
        answers.append(post(target, files=form, headers=array))

    assert {answer.status_code for answer in answers} <= {400, 404, 405}
    for answer in answers:
        error_of(answer, answer.status_code)
    assert not mark.exists()
    pickle.loads(data)
    assert mark.exists()


def parts(disposition: str, size: int) -> bytes:
    """A form of the same empty part, again and again, of about that size."""
    part = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n\r\n".encode()
    return part * (size // len(part)) + b"--b--\r\n"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("disposition", ['name="x"', 'name="file"; filename="a.wav"'])
def test_hundreds_of_thousands_of_parts(server: Server, path: str, disposition: str) -> None:
    body = parts(disposition, 20 * MEBIBYTE)
    before = memory(server.process.pid)
    answer = post(f"{server.url}{path}", content=body, headers=BOUNDARY)

    assert ": Too many fi" in error_of(answer, 400)["message"]
    assert memory(server.process.pid) - before < 64 * MEBIBYTE


@pytest.mark.parametrize("path", PATHS)
def test_text_field_of_twenty_megabytes(server: Server, path: str) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n'
    body = head + b"x" * 20 * MEBIBYTE + b"\r\n--b--\r\n"
    answer = post(f"{server.url}{path}", content=body, headers=BOUNDARY)

    assert "its fields have more than" in error_of(answer, 400)["message"]


@pytest.mark.parametrize("path", PATHS)
def test_headers_of_a_part_without_end(server: Server, path: str) -> None:
    body = b"--b\r\nContent-Disposition: " + b"x" * 20 * MEBIBYTE
    answer = post(f"{server.url}{path}", content=body, headers=BOUNDARY)

    assert "cannot be read" in error_of(answer, 400)["message"]


@pytest.mark.parametrize(
    "headers", [{"x": "x" * 17_000}, {f"x-{number}": "x" for number in range(5000)}]
)
@pytest.mark.parametrize("path", [*PATHS, "/readyz"])
def test_headers_just_too_large(server: Server, path: str, headers: dict[str, str]) -> None:
    """How much of them uvicorn reads at once decides who refuses them."""
    answer = post(f"{server.url}{path}", headers=headers)

    if answer.status_code == 431:
        assert "their limit is 16384 bytes" in error_of(answer, 431)["message"]
    else:
        error_of(answer, 400)
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX: ",
        b"GET /",
        b"POST /transcribe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"POST /transcribe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
    ],
    ids=["header", "request line", "chunk extension", "trailer"],
)
def test_headers_without_end(server: Server, head: bytes) -> None:
    before = memory(server.process.pid)
    with connect(server) as connection:
        sent = sent_before_refusal(connection, head)
        # What has come is read though the connection was reset meanwhile.
        answer = connection.recv(100)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert sent < 64 * MEBIBYTE
    assert memory(server.process.pid) - before < 32 * MEBIBYTE


def sent_before_refusal(connection: socket.socket, head: bytes) -> int:
    """How many bytes behind this head it takes until it is closed, at most 64 MiB."""
    sent = 0
    with suppress(ConnectionError):
        connection.sendall(head)
        while sent < 64 * MEBIBYTE:
            connection.sendall(b"x" * 65536)
            sent += 65536
    return sent
