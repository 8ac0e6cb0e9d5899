"""Headers, and bodies as no SDK sends them: raw sockets and curl."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import httpx
import pytest

from tests.server import Server
from tests.wire.http import CLIP, SECONDS, TEXT, TRANSCRIPTIONS, connect, exchange, post
from tests.wire.promises import promises

BOUNDARY = "xXx"
AUDIO = CLIP.read_bytes()
MODEL = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\nbase\r\n'.encode()
FORMAT = MODEL.replace(b'"model"', b'"response_format"').replace(b"base", b"text")
END = f"--{BOUNDARY}--\r\n".encode()
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def file_part(disposition: str = 'name="file"; filename="a.flac"', kind: str = "") -> bytes:
    """A file part as its client writes it."""
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n{kind}\r\n"
    return head.encode() + AUDIO + b"\r\n"


def request(body: bytes, *headers: str) -> bytes:
    """A request with that body and nothing that an HTTP library adds."""
    lines = [
        f"POST {TRANSCRIPTIONS} HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def sent(server: Server, body: bytes) -> bytes:
    """The answer to a body with its length."""
    return exchange(server, request(body, f"Content-Length: {len(body)}"))


def text_at(server: Server, path: str, body: bytes) -> str:
    """The text that a body gets there."""
    answer = httpx.post(f"{server.url}{path}", content=body, headers=FORM, timeout=60)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["text"])


@promises("Headers and transport", "`x-request-id`, `openai-processing-ms`, `openai-version`")
@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/none", "/v1/none", "/health", "/none"])
def test_headers(server: Server, path: str) -> None:
    headers = httpx.get(f"{server.url}{path}", timeout=SECONDS).headers

    assert re.fullmatch(r"req_[0-9a-f]{32}", headers["x-request-id"])
    assert re.fullmatch(r"[0-9]+", headers["openai-processing-ms"])
    assert headers["openai-version"] == "2020-10-01"


@promises("Headers and transport", "a new `x-request-id` each time, whatever the client sent")
def test_request_id_is_new(server: Server) -> None:
    url, given = f"{server.url}/v1/models", {"x-request-id": "mine"}
    ids = {httpx.get(url, headers=given, timeout=SECONDS).headers["x-request-id"] for _ in range(3)}

    assert len(ids) == 3
    assert "mine" not in ids


@promises("Headers and transport", "`openai-processing-ms` is the time of the work")
def test_processing_time(server: Server) -> None:
    assert int(post(server).headers["openai-processing-ms"]) > 10


@promises("Headers and transport", "`accept: application/json` does not matter to srt and text")
def test_accept_is_ignored(server: Server) -> None:
    answer = post(server, {"response_format": "text"}, headers={"accept": "application/json"})

    assert answer.text == f"{TEXT}\n"


@promises("Headers and transport", "paths without `/v1`", "extension")
@pytest.mark.parametrize("path", ["/audio/transcriptions", "/audio/translations"])
def test_path_without_v1(server: Server, path: str) -> None:
    assert post(server, path=path).json()["text"]


@promises("Headers and transport", "the file part first, last or in the middle")
@pytest.mark.parametrize(
    "body",
    [
        file_part() + MODEL + FORMAT + END,
        MODEL + file_part() + FORMAT + END,
        MODEL + FORMAT + file_part() + END,
    ],
    ids=["first", "middle", "last"],
)
def test_file_part_anywhere(server: Server, body: bytes) -> None:
    assert sent(server, body).endswith(f"{TEXT}\n".encode())


@promises("Headers and transport", "any file name and any part type")
@pytest.mark.parametrize(
    ("disposition", "kind"),
    [
        ('name="file"; filename="upload"', ""),
        ('name="file"; filename=""', "Content-Type: application/octet-stream\r\n"),
        ('name="file"; filename="unknown_file"', "Content-Type: text/plain\r\n"),
        ('name="file"; filename="ümläut 日本.wav"', "Content-Type: audio/x-wav\r\n"),
        ('name="file"; filename="a%22b.mp3"', "Content-Type: video/mp4\r\n"),
        ('name="file"; filename="../../etc/passwd"', "Content-Type: nonsense\r\n"),
        ("filename=a.flac; name=file; filename*=UTF-8''a%20b.flac", ""),
    ],
)
def test_file_name_and_type(server: Server, disposition: str, kind: str) -> None:
    body = MODEL + FORMAT + file_part(disposition, kind) + END

    assert sent(server, body).endswith(f"{TEXT}\n".encode())


@promises(
    "Headers and transport",
    "a file part that is named by `filename*` alone (RFC 8187), also for the native endpoints",
    "extension",
)
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, "/transcribe"])
@pytest.mark.parametrize(
    "disposition",
    [
        "name=\"file\"; filename*=UTF-8''%E5%BD%95%E9%9F%B3.ogg",
        "filename*=iso-8859-1''na%EFve.wav; name=file",
    ],
)
def test_extended_file_name(server: Server, path: str, disposition: str) -> None:
    assert TEXT in text_at(server, path, MODEL + file_part(disposition) + END)


@promises("Headers and transport", "a part with a type and no file name at all is text: 400")
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, "/transcribe"])
def test_file_without_name(server: Server, path: str) -> None:
    body = MODEL + file_part('name="file"', "Content-Type: audio/flac\r\n") + END
    answer = httpx.post(f"{server.url}{path}", content=body, headers=FORM, timeout=60)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "file"


@promises(
    "Headers and transport",
    "text before the first boundary is passed over, also for the native endpoints; a boundary that "
    "does not come within 16 KiB: 400 at once",
)
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, "/transcribe"])
def test_preamble(server: Server, path: str) -> None:
    body = MODEL + file_part() + END

    assert TEXT in text_at(server, path, b"This is a MIME message.\r\n" + body)
    endless = request(b"x" * 17_000, "Content-Length: 1000000")
    refused = b""
    with connect(server) as connection:
        connection.sendall(endless.replace(TRANSCRIPTIONS.encode(), path.encode(), 1))
        # The server goes on reading for a while, lest its answer is lost.
        while not refused.endswith(b"}}") and (piece := connection.recv(65536)):
            refused += piece
    assert refused.startswith(b"HTTP/1.1 400 ")
    assert b"its boundary does not come" in refused


@promises("Headers and transport", "slashes that follow each other in a path are one", "extension")
@pytest.mark.parametrize(
    "path", [f"/{TRANSCRIPTIONS}", TRANSCRIPTIONS.replace("/audio", "///audio"), "//transcribe"]
)
def test_repeated_slashes(server: Server, guarded: Server, path: str) -> None:
    body = MODEL + file_part() + END
    head = request(body, f"Content-Length: {len(body)}")
    head = head.replace(TRANSCRIPTIONS.encode(), path.encode(), 1)

    assert TEXT.encode() in exchange(server, head)
    assert exchange(guarded, head).startswith(b"HTTP/1.1 401 ")


@promises("Headers and transport", "text after the last boundary is passed over")
def test_epilogue(server: Server) -> None:
    body = MODEL + FORMAT + file_part() + END + b"an epilogue"

    assert sent(server, body).endswith(f"{TEXT}\n".encode())


@promises("Headers and transport", "bodies without Content-Length, in chunks of any size")
@pytest.mark.parametrize("size", [1000, 65536])
def test_chunked_body(server: Server, size: int) -> None:
    body = MODEL + FORMAT + file_part() + END
    cut = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in cut) + b"0\r\n\r\n"
    answer = exchange(server, request(chunks, "Transfer-Encoding: chunked"))

    assert answer.endswith(f"{TEXT}\n".encode())


@promises("Headers and transport", "`Expect: 100-continue`: 100, and then the answer")
def test_expect_continue(server: Server) -> None:
    body = MODEL + FORMAT + file_part() + END
    head = request(b"", f"Content-Length: {len(body)}", "Expect: 100-continue")
    with connect(server) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.endswith(f"{TEXT}\n".encode())


@promises("Headers and transport", "`Expect: 100-continue`: an error at once instead of 100")
def test_expect_continue_refused(guarded: Server) -> None:
    head = request(b"", "Content-Length: 1000000", "Expect: 100-continue")
    with connect(guarded) as connection:
        connection.sendall(head)

        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")


@promises("Headers and transport", "a connection goes on after an error")
def test_connection_goes_on_after_an_error(server: Server) -> None:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        files = {"file": ("a.flac", AUDIO)}
        for model, status in (("none", 404), ("base", 200), ("none", 404), ("base", 200)):
            answer = client.post(TRANSCRIPTIONS, data={"model": model}, files=files)
            assert answer.status_code == status


@promises("Headers and transport", "a client that breaks off in mid-upload disturbs nobody")
def test_upload_broken_off(server: Server) -> None:
    body = MODEL + file_part()
    for cut in (10, 200, 20_000):
        with connect(server) as connection:
            connection.sendall(request(body[:cut], "Content-Length: 1000000"))

    assert post(server).json()["text"] == TEXT
    assert "Traceback" not in server.printed


@pytest.fixture
def curl(server: Server) -> list[str]:
    """curl, at the transcriptions."""
    found = shutil.which("curl")
    if found is None:
        pytest.skip("curl is not installed")
    return [found, "-sS", "--fail", f"{server.url}{TRANSCRIPTIONS}", "-F", "model=whisper-1"]


def run(command: list[str]) -> bytes:
    """What a command prints."""
    return subprocess.run(command, capture_output=True, check=True, timeout=120).stdout


@promises("Clients", "curl: `-F file=@...`")
def test_curl(curl: list[str]) -> None:
    assert json.loads(run([*curl, "-F", f"file=@{CLIP}"]))["text"] == TEXT


@promises("Clients", "curl: from standard input, in chunks, without a length")
def test_curl_from_standard_input(curl: list[str]) -> None:
    command = [*curl, "-H", "Transfer-Encoding: chunked", "-F", "file=@-;filename=a"]
    done = subprocess.run(command, input=AUDIO, capture_output=True, check=True, timeout=120)

    assert json.loads(done.stdout)["text"] == TEXT


@promises("Clients", "curl: `-N` with `stream=true`")
def test_curl_stream(curl: list[str]) -> None:
    printed = run([*curl, "-N", "-F", "stream=true", "-F", f"file=@{CLIP}"]).decode()

    assert printed.startswith('data: {"type":"transcript.text.delta"')
    assert printed.endswith("data: [DONE]\n\n")
