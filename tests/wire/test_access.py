"""API keys and the limit of uploads: what is refused before it is read."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.server import Server
from tests.wire.conftest import KEY
from tests.wire.http import SECONDS, TEXT, TRANSCRIPTIONS, connect, error_of, post
from tests.wire.promises import promises

BEARER = {"authorization": f"Bearer {KEY}"}
MEBIBYTE = 1024 * 1024


@promises("Errors", "no API key: 401 with `www-authenticate`")
@pytest.mark.parametrize(
    "headers", [{}, {"authorization": ""}, {"authorization": "Bearer"}, {"authorization": KEY}]
)
def test_key_missing(guarded: Server, headers: dict[str, str]) -> None:
    answer = post(guarded, headers=headers)
    error = error_of(answer, 401)

    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, None)
    assert answer.headers["www-authenticate"] == 'Bearer realm="OpenAI API"'


@promises("Errors", "a wrong API key: 401, `invalid_api_key`; the key is not echoed")
@pytest.mark.parametrize("key", ["wrong", KEY[:-1], KEY + "x", KEY.upper()])
def test_key_wrong(guarded: Server, key: str) -> None:
    answer = post(guarded, headers={"authorization": f"Bearer {key}"})

    assert error_of(answer, 401)["code"] == "invalid_api_key"
    assert key not in answer.text
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@promises("Headers and transport", "`Authorization: Bearer KEY`, the scheme in any case")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_key_as_bearer(guarded: Server, scheme: str) -> None:
    assert post(guarded, headers={"authorization": f"{scheme} {KEY}"}).json()["text"] == TEXT


@promises("Headers and transport", "`api-key: KEY`, as Azure's clients send it", "extension")
def test_key_as_api_key(guarded: Server) -> None:
    assert post(guarded, headers={"api-key": "another-key"}).json()["text"] == TEXT


@promises(
    "whisper-asr-webservice",
    "Bazarr with a key: the password of its URL (`http://any:KEY@host`)",
    "extension",
)
def test_key_as_password(guarded: Server) -> None:
    url = guarded.url.replace("http://", f"http://any:{KEY}@")
    files = {"audio_file": ("audio_file", bytes(3_200))}
    assert httpx.post(f"{url}/asr?encode=false", files=files, timeout=SECONDS).status_code == 200
    wrong = url.replace(KEY, "another")
    assert httpx.post(f"{wrong}/asr?encode=false", files=files, timeout=SECONDS).status_code == 401


@promises("Headers and transport", "without keys in the settings any key, or none, is taken")
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer anything"}, {"api-key": "x"}])
def test_key_not_asked_for(server: Server, headers: dict[str, str]) -> None:
    assert post(server, headers=headers).json()["text"] == TEXT


@promises(
    "Errors",
    "everything but the probes, the pages with their files and `/client.py` asks for the key",
)
def test_key_is_asked_for_everywhere(guarded: Server) -> None:
    protected = ["/v1/models", "/metrics", "/docs.json", "/schema.json", "/none"]
    for path in protected:
        assert error_of(httpx.get(f"{guarded.url}{path}", timeout=SECONDS), 401)
    assert error_of(httpx.post(f"{guarded.url}/transcribe", timeout=SECONDS), 401)
    for path in ("/livez", "/readyz", "/", "/docs", "/openapi.json", "/client.py"):
        assert httpx.get(f"{guarded.url}{path}", timeout=SECONDS).status_code == 200


@promises(
    "Headers and transport",
    "`/health` without a key: its status alone, 200 or 503; with a key all of it",
    "extension",
)
def test_key_of_health(guarded: Server) -> None:
    probed = httpx.get(f"{guarded.url}/health", timeout=SECONDS)

    assert (probed.status_code, probed.json()) == (200, {"status": "ok"})
    assert "queue" in httpx.get(f"{guarded.url}/health", headers=BEARER, timeout=SECONDS).json()
    assert error_of(
        httpx.get(f"{guarded.url}/health", headers={"api-key": "wrong-key"}, timeout=SECONDS), 401
    )


@promises(
    "Headers and transport",
    "a preflight needs no key; where no origin is allowed it is a 400 that says so",
    "differs",
    "hosted is open to the pages of every origin; here `WHISPER_CORS_ORIGINS` names them",
)
def test_key_of_a_preflight(guarded: Server) -> None:
    asked = {"origin": "app://obsidian.md", "access-control-request-method": "POST"}
    answer = httpx.options(f"{guarded.url}{TRANSCRIPTIONS}", headers=asked, timeout=SECONDS)

    assert "WHISPER_CORS_ORIGINS" in str(error_of(answer, 400)["message"])


@promises("Errors", "the key is checked before the body is read")
def test_key_is_checked_before_the_body(guarded: Server) -> None:
    with connect(guarded) as connection:
        connection.sendall(
            b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
            b"Content-Type: application/json\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")


@promises("Errors", "keys are in no message and no log")
def test_key_is_not_logged(guarded: Server) -> None:
    post(guarded, headers=BEARER)

    assert KEY not in guarded.printed
    assert "another-key" not in guarded.printed


def pieces(size: int) -> Iterator[bytes]:
    """A body that has no announced length."""
    for _ in range(size // 65536):
        yield bytes(65536)


@promises("Errors", "a body over the limit: 413, which names limit and size")
def test_upload_too_large(guarded: Server) -> None:
    url = f"{guarded.url}{TRANSCRIPTIONS}"
    answer = httpx.post(url, content=bytes(5 * MEBIBYTE), headers=BEARER, timeout=SECONDS)
    error = error_of(answer, 413)

    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, None)
    assert str(MEBIBYTE) in str(error["message"])
    assert str(5 * MEBIBYTE) in str(error["message"])


@promises("Errors", "a body over the limit is noticed without Content-Length, too")
def test_upload_too_large_in_chunks(guarded: Server) -> None:
    headers = {**BEARER, "content-type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'

    def body() -> Iterator[bytes]:
        yield head
        yield from pieces(5 * MEBIBYTE)

    answer = httpx.post(
        f"{guarded.url}{TRANSCRIPTIONS}", content=body(), headers=headers, timeout=SECONDS
    )

    assert str(MEBIBYTE) in str(error_of(answer, 413)["message"])


@promises("Errors", "the limit is that of BentoML's endpoints as well", "extension")
def test_upload_too_large_natively(guarded: Server) -> None:
    files = {"file": ("a.wav", bytes(2 * MEBIBYTE))}
    answer = httpx.post(f"{guarded.url}/transcribe", files=files, headers=BEARER, timeout=SECONDS)

    assert error_of(answer, 413)["type"] == "invalid_request_error"


@promises("Errors", "the limit is 25 MiB where nothing else is set")
def test_upload_limit_by_default(server: Server) -> None:
    url, size = f"{server.url}{TRANSCRIPTIONS}", 25 * MEBIBYTE
    headers = {"content-type": "multipart/form-data; boundary=b"}
    too_large = httpx.post(url, content=bytes(size + 1), headers=headers, timeout=60)
    fitting = httpx.post(url, content=bytes(size), headers=headers, timeout=60)

    assert "26214400" in str(error_of(too_large, 413)["message"])
    assert error_of(fitting, 400)
