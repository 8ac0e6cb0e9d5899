"""go-openai (sashabaranov): its requests as Go writes multipart, and its structs of replies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import BaseModel, ConfigDict

from tests.server import Server
from tests.wire.http import CLIP, SECONDS, TRANSCRIPTIONS, TRANSLATIONS, exchange
from tests.wire.promises import promises
from tests.wire.test_asr_webservice import split

CLIENT = "go-openai, byte by byte"
# Go's are 30 random bytes.
BOUNDARY = "0123456789abcdef" * 3 + "0123456789ab"
FORMATS = ("json", "verbose_json", "text", "srt", "vtt")
Struct = TypeVar("Struct", bound="Decoded")


class Decoded(BaseModel):
    """A struct as encoding/json fills it in: what is missing is zero, another type is an error."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Segment(Decoded):
    id: int = 0
    seek: int = 0
    start: float = 0
    end: float = 0
    text: str = ""
    tokens: list[int] = []
    temperature: float = 0
    avg_logprob: float = 0
    compression_ratio: float = 0
    no_speech_prob: float = 0
    transient: bool = False


class Word(Decoded):
    word: str = ""
    start: float = 0
    end: float = 0


class AudioResponse(Decoded):
    task: str = ""
    language: str = ""
    duration: float = 0
    segments: list[Segment] = []
    words: list[Word] = []
    text: str = ""


class Model(Decoded):
    created: int = 0
    id: str = ""
    object: str = ""
    owned_by: str = ""


class ModelsList(Decoded):
    data: list[Model] = []


class APIError(Decoded):
    code: str | int | None = None
    message: str
    param: str | None = None
    type: str = ""


class ErrorResponse(Decoded):
    error: APIError


def request(server: Server, path: str, fields: Sequence[tuple[str, str]]) -> bytes:
    """A request of its: the file first, by its whole path, and then the fields that are set."""
    head = f'Content-Disposition: form-data; name="file"; filename="{CLIP}"\r\n'
    body = f"--{BOUNDARY}\r\n{head}Content-Type: application/octet-stream\r\n\r\n".encode()
    body += CLIP.read_bytes()
    for name, value in fields:
        body += (
            f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        )
        body += value.encode()
    body += f"\r\n--{BOUNDARY}--\r\n".encode()
    lines = (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(server.url).netloc}\r\n"
        f"User-Agent: Go-http-client/1.1\r\nContent-Length: {len(body)}\r\n"
        "Accept: application/json\r\nAuthorization: Bearer any-key\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        "Accept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    )
    return lines.encode() + body


def ask(server: Server, *fields: tuple[str, str], path: str = TRANSCRIPTIONS) -> bytes:
    """The body that comes for the model and these fields, which are in its order."""
    sent = request(server, path, [("model", "whisper-1"), *fields])
    status, _, body = split(exchange(server, sent))
    assert status == 200, body
    return body


def decoded(struct: type[Struct], body: bytes) -> Struct:
    """A body as encoding/json decodes it, to which null is as good as nothing."""

    def without_nulls(pairs: list[tuple[str, object]]) -> dict[str, object]:
        return {name: value for name, value in pairs if value is not None}

    return struct.model_validate(json.loads(body, object_pairs_hook=without_nulls))


@pytest.mark.parametrize("response_format", FORMATS)
@promises("Clients", f"{CLIENT}: all five formats, by its structs")
def test_formats(server: Server, response_format: str) -> None:
    body = ask(
        server,
        ("prompt", "Of books."),
        ("response_format", response_format),
        ("temperature", "0.20"),
        ("language", "en"),
    )

    is_json = response_format.endswith("json")
    text = decoded(AudioResponse, body).text if is_json else body.decode()
    assert "being comparatively modern" in text


@promises("Clients", f"{CLIENT}: verbose_json with words and segments")
def test_words(server: Server) -> None:
    granularities = [("timestamp_granularities[]", each) for each in ("segment", "word")]
    found = decoded(AudioResponse, ask(server, ("response_format", "verbose_json"), *granularities))

    assert (found.task, found.language) == ("transcribe", "english")
    assert found.duration > 1
    [segment] = found.segments
    assert segment.tokens
    assert 0 <= segment.start < segment.end <= found.duration
    assert [each.word for each in found.words] == ["in", "being", "comparatively", "modern"]


@promises("Clients", f"{CLIENT}: translation, models and errors")
def test_translation_models_and_errors(server: Server) -> None:
    assert decoded(AudioResponse, ask(server, path=TRANSLATIONS)).text
    listed = decoded(ModelsList, httpx.get(f"{server.url}/v1/models", timeout=SECONDS).content).data
    assert "base" in {model.id for model in listed}
    assert all(model.created > 0 and model.object == "model" for model in listed)

    sent = request(server, TRANSCRIPTIONS, [("model", "nobody")])
    status, _, body = split(exchange(server, sent))
    error = decoded(ErrorResponse, body).error
    assert (status, error.code) == (404, "model_not_found")
    assert "nobody" in error.message
