"""Tests of the multipart body in all the shapes that clients send it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator

import pytest
from starlette.datastructures import UploadFile
from starlette.testclient import TestClient

from api.settings import Settings
from models.options import TranscribeOptions
from tests.api.fake import TRANSCRIPTIONS, FakeTranscriber, client

BOUNDARY = "xXx"
MULTIPART = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
AUDIO = b"RIFF\x00\xff\r\n--not the boundary"


def text(name: str, value: str) -> bytes:
    """A text part."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + value.encode() + b"\r\n"


def file(name: str = "file", filename: str = "a.wav", audio: bytes = AUDIO) -> bytes:
    """A file part."""
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    head = f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: audio/x-wav\r\n\r\n"
    return head.encode() + audio + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def post(parts: bytes, fake: FakeTranscriber | None = None) -> tuple[int, dict[str, str | None]]:
    """Status and error detail (empty where there is none) of a body."""
    response = client(fake).post(TRANSCRIPTIONS, content=parts, headers=MULTIPART)
    detail = response.json().get("error", {})
    return response.status_code, detail


def options_of(parts: bytes) -> TranscribeOptions:
    """What the transcriber is asked for a body."""
    fake = FakeTranscriber()
    assert post(parts, fake) == (200, {})
    [(audio, options)] = fake.calls
    assert audio == AUDIO
    return options


def invalid(message: str, param: str | None = None, code: str | None = None) -> dict[str, object]:
    """The detail of a 400."""
    return {"message": message, "type": "invalid_request_error", "param": param, "code": code}


BROKEN_OFF = "The multipart body cannot be read: it breaks off before its end."


def test_upload_without_room_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(upload: UploadFile, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(UploadFile, "write", full)
    response = client().post(TRANSCRIPTIONS, content=file() + END, headers=MULTIPART)

    assert (response.status_code, response.headers["retry-after"]) == (503, "60")
    assert response.json()["error"]["code"] == "no_room"


def test_form_file_last() -> None:
    parts = text("model", "base") + text("language", "de") + file() + END
    assert options_of(parts) == TranscribeOptions(language="de")


def test_form_file_first() -> None:
    parts = file() + text("model", "base") + text("language", "de") + END
    assert options_of(parts) == TranscribeOptions(language="de")


@pytest.mark.parametrize("filename", ["", "upload", "ümläut.wav", "../../etc/passwd", "a%22.wav"])
def test_form_any_filename(filename: str) -> None:
    assert options_of(file(filename=filename) + text("model", "base") + END) == TranscribeOptions()


def test_form_without_content_length() -> None:
    def chunks() -> Iterator[bytes]:
        body = file() + text("model", "base") + END
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    fake = FakeTranscriber()
    response = client(fake).post(TRANSCRIPTIONS, content=chunks(), headers=MULTIPART)
    assert response.status_code == 200
    assert fake.calls == [(AUDIO, TranscribeOptions())]


def test_form_large_file() -> None:
    audio = bytes(range(256)) * 12_000  # 3 MB: lies on disk
    fake = FakeTranscriber()
    assert post(file(audio=audio) + text("model", "base") + END, fake) == (200, {})
    assert fake.calls[0][0] == audio


def test_form_without_last_line_break() -> None:
    parts = file() + text("model", "base") + END.rstrip()
    assert options_of(parts) == TranscribeOptions()


def test_form_empty_strings_are_not_given() -> None:
    names = ("language", "prompt", "response_format", "temperature", "timestamp_granularities[]")
    parts = b"".join(text(name, "") for name in (*names, "stream", "include"))
    assert options_of(parts + text("model", "base") + file() + END) == TranscribeOptions()


def test_form_repeated_field_last_wins() -> None:
    parts = text("model", "tiny") + text("model", "base") + text("model", "") + file() + END
    assert options_of(parts) == TranscribeOptions()


@pytest.mark.parametrize(
    "parts",
    [
        text("timestamp_granularities[]", "segment"),
        text("timestamp_granularities", "segment"),
        text("timestamp_granularities[]", "segment") * 2,
        text("timestamp_granularities", "segment, segment,"),
    ],
)
def test_form_arrays(parts: bytes) -> None:
    verbose = text("model", "base") + text("response_format", "verbose_json") + file()
    assert options_of(parts + verbose + END) == TranscribeOptions()


@pytest.mark.parametrize(
    "parts",
    [
        text("timestamp_granularities[]", "segment") + text("timestamp_granularities[]", "word"),
        text("timestamp_granularities", "segment,word"),
        text("timestamp_granularities", "word"),
        text("timestamp_granularities[]", "segment") + text("timestamp_granularities", "word"),
    ],
)
def test_form_arrays_are_read_whole(parts: bytes) -> None:
    verbose = text("model", "base") + text("response_format", "verbose_json") + file()
    assert options_of(parts + verbose + END) == TranscribeOptions(word_timestamps=True)


def test_form_unknown_fields_are_logged_by_name(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bentoml.whisper")
    parts = text("nested[a][]", "secret") + text("nonsense", "secret") + text("model", "base")
    assert options_of(parts + file() + END) == TranscribeOptions()
    assert caplog.messages == ["Ignored fields: ['nested', 'nonsense']"]


def test_form_with_a_url_in_the_place_of_a_file() -> None:
    status, error = post(text("model", "base") + text("url", "http://127.0.0.1/a.wav") + END)

    assert (status, error["param"], error["code"]) == (400, "url", "unsupported_value")
    assert options_of(text("url", "http://x") + text("model", "base") + file() + END) == (
        TranscribeOptions()
    )


def test_form_without_file() -> None:
    assert post(text("model", "base") + END) == (
        400,
        invalid(
            "The field 'file' is missing: it must hold the audio.",
            "file",
            "missing_required_parameter",
        ),
    )


def test_form_without_model() -> None:
    expected = invalid("The field 'model' is missing.", "model", "missing_required_parameter")
    assert post(file() + END) == (400, expected)
    assert post(file() + text("model", " ") + END) == (400, expected)


def test_form_without_parts() -> None:
    assert post(END)[1]["param"] == "file"


def test_form_file_as_text() -> None:
    message = "The field 'file' must be a file part with a file name."
    assert post(text("file", "abc") + text("model", "base") + END) == (
        400,
        invalid(message, "file"),
    )


def test_form_two_files() -> None:
    assert post(file() + file() + text("model", "base") + END) == (
        400,
        invalid("There must be one 'file', not several.", "file"),
    )


def test_form_text_as_file() -> None:
    assert post(file("model") + file() + END) == (
        400,
        invalid("The field 'model' must be text, not a file.", "model"),
    )


@pytest.mark.parametrize("cut", [1, 3, 20, 60])
def test_form_broken_off(cut: int) -> None:
    parts = file() + text("model", "base") + END.rstrip()
    assert post(parts[:-cut]) == (400, invalid(BROKEN_OFF))


def test_form_empty_body() -> None:
    assert post(b"") == (400, invalid(BROKEN_OFF))


def test_form_garbage() -> None:
    message = "The multipart body cannot be read: its boundary does not come."
    assert post(b"garbage" * 10) == (400, invalid(message))


def test_form_part_without_name() -> None:
    part = f"--{BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nx\r\n".encode()
    status, detail = post(part + END)
    assert status == 400
    assert str(detail["message"]).startswith("The multipart body cannot be read: ")


@pytest.mark.parametrize(
    ("parts", "limit"),
    [
        (
            text("prompt", "x" * 2**23) + text("language", "x" * (2**23 + 1)),
            "its fields have more than 16777216 bytes.",
        ),
        (text("x", "1") * 129, "Too many fields. Maximum number of fields is 128."),
        (file() * 5, "Too many files. Maximum number of files is 4."),
    ],
)
def test_form_limits(parts: bytes, limit: str) -> None:
    expected = invalid(f"The multipart body cannot be read: {limit}")
    assert post(parts + END) == (400, expected)


def content_type_error(app: TestClient, header: dict[str, str]) -> dict[str, object]:
    """The detail of a 400 for a body of that type."""
    response = app.post(TRANSCRIPTIONS, content=b"model=base", headers=header)
    assert response.status_code == 400
    detail = response.json()["error"]
    assert isinstance(detail, dict)
    return detail


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded", ""]
)
def test_form_not_multipart(content_type: str) -> None:
    message = f"The body must be multipart/form-data, not {content_type!r}."
    header = {"content-type": content_type}
    app = client(settings=Settings(dialects=()))
    assert content_type_error(app, header) == invalid(message)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
def test_form_without_boundary(content_type: str) -> None:
    detail = content_type_error(client(), {"content-type": content_type})
    assert str(detail["message"]).startswith("The multipart body cannot be read: ")


def test_form_content_type_in_capitals() -> None:
    header = {"content-type": f'Multipart/Form-Data; charset=utf-8; boundary="{BOUNDARY}"'}
    parts = file() + text("model", "base") + END
    assert client().post(TRANSCRIPTIONS, content=parts, headers=header).status_code == 200


@pytest.mark.parametrize("charset", ["utf-8", '"UTF-8"', "iso-8859-1", "us-ascii"])
def test_form_charset(charset: str) -> None:
    header = {"content-type": f"multipart/form-data; boundary={BOUNDARY}; charset={charset}"}
    parts = file() + text("model", "base") + END
    assert client().post(TRANSCRIPTIONS, content=parts, headers=header).status_code == 200


# Python would decode by the first, fail by the second, and keep the name of the third.
@pytest.mark.parametrize("charset", ["unicode_escape", "undefined", "klingon", ""])
def test_form_charset_unsupported(charset: str) -> None:
    header = {"content-type": f"multipart/form-data; boundary={BOUNDARY}; charset={charset}"}
    response = client().post(TRANSCRIPTIONS, content=file("\\ud800") + END, headers=header)
    assert response.status_code == 400
    message = f"The multipart body must be in utf-8, not {charset!r}."
    assert response.json()["error"] == invalid(message)
