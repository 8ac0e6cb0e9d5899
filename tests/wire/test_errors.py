"""Every error: its status and its envelope, and what must not be in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server import Server
from tests.speech_clips import BROKEN
from tests.wire.http import (
    CLIP,
    SECONDS,
    TRANSCRIPTIONS,
    TRANSLATIONS,
    connect,
    error_of,
    parts,
    post,
)
from tests.wire.promises import promises

INVALID = "invalid_request_error"


def refused(server: Server, *fields: tuple[str, str], status: int = 400, **options: Any) -> Any:
    """The error for a request with these fields."""
    return error_of(post(server, fields, **options), status)


@promises("Errors", "`file` missing: 400, `missing_required_parameter`")
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
def test_file_missing(server: Server, path: str) -> None:
    error = refused(server, file=None, path=path)

    assert (error["type"], error["param"]) == (INVALID, "file")
    assert error["code"] == "missing_required_parameter"


@promises("Errors", "`model` missing: 400, `missing_required_parameter`")
@pytest.mark.parametrize("fields", [{}, {"model": ""}])
def test_model_missing(server: Server, fields: dict[str, str]) -> None:
    form = parts(fields)
    error = error_of(httpx.post(f"{server.url}{TRANSCRIPTIONS}", files=form, timeout=SECONDS), 400)

    assert (error["type"], error["param"]) == (INVALID, "model")
    assert error["code"] == "missing_required_parameter"


@promises("Errors", "`file` that is not a file part, or twice: 400")
@pytest.mark.parametrize(
    "form",
    [
        [("file", (None, b"audio"))],
        [("file", ("a.wav", CLIP.read_bytes())), ("file", ("b.wav", CLIP.read_bytes()))],
        [("file", (None, b"https://example.com/a.wav"))],
    ],
    ids=["text", "twice", "URL"],
)
def test_file_that_is_none(server: Server, form: Any) -> None:
    body = [("model", (None, b"base")), *form]
    error = error_of(httpx.post(f"{server.url}{TRANSCRIPTIONS}", files=body, timeout=SECONDS), 400)

    assert (error["type"], error["param"]) == (INVALID, "file")


@promises("Errors", "a body that is not multipart, and not JSON: 400")
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/json", b'{"model":"base","file":"a.wav"}'),
        ("application/x-www-form-urlencoded", b"model=base"),
        ("audio/wav", b"RIFF"),
        ("", b""),
    ],
)
def test_body_not_multipart(server: Server, kind: str, body: bytes) -> None:
    url, headers = f"{server.url}{TRANSCRIPTIONS}", {"content-type": kind}
    error = error_of(httpx.post(url, content=body, headers=headers, timeout=SECONDS), 400)

    assert (error["type"], error["param"], error["code"]) == (INVALID, None, None)
    assert "multipart/form-data" in error["message"]


@promises("Errors", "a multipart body that is broken or breaks off: 400")
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--b\r\n"),
        ("multipart/form-data; boundary=b", b"no boundary at all"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="model"'),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n"),
    ],
    ids=["no boundary named", "none in the body", "breaks off", "part without a name"],
)
def test_body_broken(server: Server, kind: str, body: bytes) -> None:
    url, headers = f"{server.url}{TRANSCRIPTIONS}", {"content-type": kind}
    error = error_of(httpx.post(url, content=body, headers=headers, timeout=SECONDS), 400)

    assert (error["type"], error["param"]) == (INVALID, None)
    assert error["message"].startswith("The multipart body cannot be read: ")


@promises("Errors", "an unknown `model`: 404, `model_not_found`")
@pytest.mark.parametrize("model", ["gpt-5", "whisper-2", "org/model", "../base"])
def test_model_unknown(server: Server, model: str) -> None:
    error = refused(server, ("model", model), status=404)

    assert (error["type"], error["param"]) == (INVALID, "model")
    assert (error["code"], error["message"]) == (
        "model_not_found",
        f"The model '{model}' does not exist",
    )


@promises("Errors", "audio that cannot be decoded, or is empty: 400 on `file`")
@pytest.mark.parametrize("path", sorted(BROKEN.iterdir()), ids=lambda path: path.name)
def test_audio_undecodable(server: Server, path: Any) -> None:
    error = refused(server, file=path)

    assert (error["type"], error["param"], error["code"]) == (INVALID, "file", None)


@promises(
    "Errors",
    "a file that ends more than a second before its header says, or by a third: 400 on `file`",
    "differs",
    "half a text would pass for all of it; what hosted answers is not documented",
)
def test_audio_cut_off(server: Server, tmp_path: Path) -> None:
    content = CLIP.read_bytes()
    cut_off = tmp_path / CLIP.name
    cut_off.write_bytes(content[: len(content) * 3 // 4])
    error = refused(server, file=cut_off)

    assert (error["type"], error["param"]) == (INVALID, "file")
    assert "cut off" in error["message"]


@promises(
    "Errors",
    "audio shorter than 0.1 s",
    "differs",
    "an empty transcript; hosted answers 400, `audio_too_short`",
)
def test_audio_very_short(server: Server) -> None:
    wav = (
        b"RIFF\x64\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00"
        b"\x00\x7d\x00\x00\x02\x00\x10\x00data\x40\x00\x00\x00" + bytes(64)
    )
    form = {"model": (None, b"base"), "file": ("a.wav", wav)}
    answer = httpx.post(f"{server.url}{TRANSCRIPTIONS}", files=form, timeout=60)

    assert answer.json() == {"text": "", "usage": {"type": "duration", "seconds": 1}}


@promises("Errors", "a `response_format` that is unknown: 400, `invalid_value`")
@pytest.mark.parametrize("value", ["mp3", "JSON", "json,text"])
def test_response_format_unknown(server: Server, value: str) -> None:
    error = refused(server, ("response_format", value))

    assert (error["param"], error["code"]) == ("response_format", "invalid_value")
    assert "'verbose_json'" in error["message"]


@promises("Errors", "timestamps of words without verbose_json: 400, `unsupported_value`")
def test_granularities_without_verbose_json(server: Server) -> None:
    error = refused(server, ("timestamp_granularities[]", "word"), ("response_format", "json"))

    assert (error["param"], error["code"]) == ("timestamp_granularities", "unsupported_value")


@promises("Errors", "a timestamp granularity that is unknown: 400, `invalid_value`")
def test_granularity_unknown(server: Server) -> None:
    wanted = (("response_format", "verbose_json"), ("timestamp_granularities[]", "letter"))
    error = refused(server, *wanted)

    assert (error["param"], error["code"]) == ("timestamp_granularities", "invalid_value")


@promises("Errors", "`temperature` that is no number from 0 to 1: 400, `invalid_value`")
@pytest.mark.parametrize("value", ["hot", "1.5", "-0.1", "nan", "inf", "0,5"])
def test_temperature_invalid(server: Server, value: str) -> None:
    error = refused(server, ("temperature", value))

    assert (error["param"], error["code"]) == ("temperature", "invalid_value")


@promises("Errors", "`language` that is none: 400, `invalid_language_format`")
@pytest.mark.parametrize("value", ["klingon", "xx", "e", "en;de"])
def test_language_unknown(server: Server, value: str) -> None:
    error = refused(server, ("language", value))

    assert (error["param"], error["code"]) == ("language", "invalid_language_format")


@promises("Errors", "`language` that is nearly one: the message says which it may be", "extension")
@pytest.mark.parametrize(("value", "near"), [("germn", "german"), ("portugese", "portuguese")])
def test_language_nearly_known(server: Server, value: str, near: str) -> None:
    error = refused(server, ("language", value))

    assert f"did you mean {near}" in error["message"]


@promises("Errors", "a language or a translation that an English checkpoint cannot do: 400")
def test_english_checkpoint(server: Server) -> None:
    spoken = refused(server, ("model", "tiny.en"), ("language", "de"))
    translated = refused(server, ("model", "tiny.en"), path=TRANSLATIONS)

    assert spoken["param"] == "language"
    assert "English only" in translated["message"]


@promises("Errors", "`include[]` that is unknown or needs json: 400")
@pytest.mark.parametrize(
    "fields",
    [[("include[]", "words")], [("include[]", "logprobs"), ("response_format", "verbose_json")]],
)
def test_include_unsupported(server: Server, fields: list[tuple[str, str]]) -> None:
    error = refused(server, *fields)

    assert error["param"] == "include"
    assert error["code"] in ("invalid_value", "unsupported_value")


@promises("Errors", "`chunking_strategy` that is malformed: 400, the sub-field named")
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ([("chunking_strategy", "fixed")], "chunking_strategy"),
        ([("chunking_strategy", '{"type":')], "chunking_strategy"),
        ([("chunking_strategy[type]", "semantic_vad")], "chunking_strategy.type"),
        (
            [("chunking_strategy[type]", "server_vad"), ("chunking_strategy[threshold]", "7")],
            "chunking_strategy.threshold",
        ),
    ],
)
def test_chunking_strategy_malformed(
    server: Server, fields: list[tuple[str, str]], named: str
) -> None:
    error = refused(server, *fields)

    assert error["param"] == "chunking_strategy"
    assert named in error["message"]


@promises(
    "Errors",
    "a field of more than 1,048,576 characters, but for `prompt` and `known_speaker_references`, "
    "or of more than 1,000 values: 400",
    "extension",
)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chunking_strategy", '{"type": "server_vad", "unknown": "%s"}' % ("x" * 2**20)),
        ("keywords", "word," * 1000),
    ],
)
def test_field_too_large(server: Server, name: str, value: str) -> None:
    error = error_of(post(server, {name: value}), 400)

    assert (error["param"], error["code"]) == (name, "invalid_value")
    assert "is too large" in error["message"]


@promises("Errors", "`stream` that is no boolean: 400, `invalid_value`")
def test_stream_malformed(server: Server) -> None:
    error = refused(server, ("stream", "maybe"))

    assert (error["param"], error["code"]) == ("stream", "invalid_value")


@promises("Errors", "required fields are checked before values, values before the model")
def test_order_of_checks(server: Server) -> None:
    url = f"{server.url}{TRANSCRIPTIONS}"
    without_model = error_of(
        httpx.post(url, files=parts({"temperature": "9"}), timeout=SECONDS), 400
    )
    without_file = refused(server, ("temperature", "9"), file=None)
    bad_value = refused(server, ("temperature", "9"), ("model", "none"), file=BROKEN / "text.mp3")
    bad_model = refused(server, ("model", "none"), file=BROKEN / "text.mp3", status=404)

    assert (without_model["param"], without_file["param"]) == ("model", "file")
    assert (bad_value["param"], bad_model["param"]) == ("temperature", "model")


@promises("Errors", "an unknown path: 404 in the envelope, naming method and path")
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/", "/v1/audio/transcriptions/", "/v1/chat/completions", "/nothing", "/v2/models"],
)
def test_path_unknown(server: Server, method: str, path: str) -> None:
    error = error_of(httpx.request(method, f"{server.url}{path}", timeout=SECONDS), 404)

    assert error["message"] == f"Not Found: {method} {path}"
    assert (error["type"], error["param"], error["code"]) == (INVALID, None, None)


@promises("Errors", "a wrong method: 405 in the envelope, with `allow`")
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/audio/translations", "POST"),
        ("PUT", "/v1/audio/transcriptions", "GET, POST"),
        ("PUT", "/v1/audio/translations", "POST"),
        ("GET", "/audio/translations", "POST"),
        ("POST", "/v1/models", "GET"),
        ("PATCH", "/v1/models/base", "DELETE, GET"),
        ("GET", "/transcribe", "POST"),
    ],
)
def test_method_wrong(server: Server, method: str, path: str, allowed: str) -> None:
    answer = httpx.request(method, f"{server.url}{path}", timeout=SECONDS)

    assert error_of(answer, 405)["message"] == f"Method Not Allowed: {method} {path}"
    assert answer.headers["allow"] == allowed


@promises("Errors", "messages hold no path, traceback or content of the file")
def test_messages_tell_nothing(server: Server) -> None:
    for path in sorted(BROKEN.iterdir()):
        said = refused(server, file=path)["message"]
        assert "/" not in said
        assert "Traceback" not in said
        assert "These are words" not in said


@promises("Errors", "a request past its time: 504, which SDKs do not send again", "extension")
def test_deadline(guarded: Server) -> None:
    request = (
        b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
        b"api-key: another-key\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n--b"
    )
    with connect(guarded) as connection:
        connection.sendall(request)
        answer = b""
        # The body may come apart from the headers.
        while not answer.endswith(b"}}") and (piece := connection.recv(65536)):
            answer += piece

    assert answer.startswith(b"HTTP/1.1 504 ")
    assert b"x-should-retry: false" in answer
    assert b'"code":"timeout"' in answer
