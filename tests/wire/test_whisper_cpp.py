"""whisper.cpp's clients, byte by byte: OpenWhispr, the OVOS plugin, scripts."""

from __future__ import annotations

import json
import wave
from io import BytesIO
from typing import Any, Final

import httpx
import pytest

from tests.server import Server
from tests.speech_clips import BROKEN, FORMATS
from tests.wire.http import CLIP, SECONDS, TEXT, exchange
from tests.wire.promises import promises
from tests.wire.test_asr_webservice import split

AREA: Final = "whisper.cpp"
BOUNDARY = "----WhisperBoundary1790000000000"


def infer(server: Server, **fields: str) -> httpx.Response:
    """The answer to the clip with these fields."""
    files = {"file": ("audio.wav", CLIP.read_bytes(), "audio/wav")}
    return httpx.post(f"{server.url}/inference", data=fields, files=files, timeout=SECONDS)


def of_openwhispr(fields: dict[str, str]) -> bytes:
    """A request as OpenWhispr writes it by hand for its whisper-server."""
    start = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
    body = f'{start}"file"; filename="audio.wav"\r\nContent-Type: audio/wav\r\n\r\n'.encode()
    body += CLIP.read_bytes() + b"\r\n"
    for name, value in fields.items():
        body += f'{start}"{name}"\r\n\r\n{value}\r\n'.encode()
    body += f"--{BOUNDARY}--\r\n".encode()
    lines = (
        "POST /inference HTTP/1.1\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(body)}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    )
    return lines.encode() + body


def error_of(answer: httpx.Response, status: int) -> str:
    """The message of an error: a string."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert list(body) == ["error"]
    assert isinstance(body["error"], str)
    return str(body["error"])


@promises(AREA, "OpenWhispr: its fields, and json whose `text` has a line a segment", "as there")
def test_openwhispr(server: Server) -> None:
    fields = {"language": "auto", "entropy_thold": "2.8", "logprob_thold": "-1.25"}
    fields |= {"prompt": "Kubernetes", "response_format": "json"}
    status, headers, body = split(exchange(server, of_openwhispr(fields)))

    assert (status, headers["content-type"]) == (200, "application/json")
    assert list(json.loads(body)) == ["text"]
    assert json.loads(body)["text"].strip() == TEXT
    assert json.loads(body)["text"].endswith("\n")
    assert httpx.get(f"{server.url}/", timeout=SECONDS).is_success


@promises(AREA, "OpenWhispr: verbose_json with words and languages", "as there")
def test_openwhispr_timestamps(server: Server) -> None:
    fields = {"language": "auto", "response_format": "verbose_json"}
    told: dict[str, Any] = json.loads(split(exchange(server, of_openwhispr(fields)))[2])
    (segment,) = told["segments"]

    assert (told["task"], told["language"]) == ("transcribe", "english")
    assert told["detected_language"] == "english"
    assert told["language_probabilities"]["en"] == told["detected_language_probability"] > 0.5
    assert min(told["language_probabilities"].values()) > 0.001
    assert told["duration"] == pytest.approx(1.9, abs=0.1)
    assert 0 <= segment["start"] < segment["end"] <= told["duration"]
    assert "".join(word["word"] for word in segment["words"]) == segment["text"]
    assert {"id", "tokens", "temperature", "avg_logprob", "no_speech_prob"} < segment.keys()


def in_a_header_again(wav: bytes) -> bytes:
    """A WAV file of which the samples are a WAV file, as the OVOS plugin sends what it heard."""
    file = BytesIO()
    with wave.open(file, "wb") as made:
        made.setparams((1, 2, 16000, 0, "NONE", "NONE"))
        made.writeframes(wav)
    return file.getvalue()


@promises(
    AREA,
    "the OVOS plugin: `temperature`, `temperature_inc` and `language` in the query, which is not "
    "read, and a file without name or type",
    "as there",
)
def test_ovos(server: Server) -> None:
    query = {"temperature": "0.0", "temperature_inc": "0.2", "language": "auto"}
    heard = in_a_header_again((FORMATS / "jfk-16k.wav").read_bytes())
    answer = httpx.post(
        f"{server.url}/inference", params=query, files={"file": heard}, timeout=SECONDS
    )

    assert answer.status_code == 200
    assert "ask not what your country can do for you" in answer.json()["text"]


@promises(AREA, "text, srt and vtt, with whisper.cpp's types; unknown formats are json", "as there")
def test_formats(server: Server) -> None:
    types = {"text": "text/html; charset=utf-8", "srt": "application/x-subrip"}
    types |= {"vtt": "text/vtt; charset=utf-8", "docx": "application/json"}
    for name, media_type in types.items():
        answer = infer(server, language="en", response_format=name)
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        assert TEXT in answer.text


@promises(AREA, "`translate`, `prompt`, `vad`, `no_timestamps` and their like", "as there")
def test_fields(server: Server) -> None:
    answer = infer(server, language="de", translate="true", vad="true", no_timestamps="true")
    assert answer.status_code == 200
    assert answer.json()["text"].strip()


@promises(
    AREA,
    "`offset_t`, `duration`, `offset_n`, `diarize`, `max_len` with verbose_json: 400",
    "differs",
    "they are not served, and what is not done is not passed over in silence",
)
@pytest.mark.parametrize(
    "fields",
    [
        {"offset_t": "500"},
        {"duration": "500"},
        {"offset_n": "1"},
        {"diarize": "true"},
        {"tinydiarize": "true"},
        {"max_len": "20", "response_format": "verbose_json"},
    ],
)
def test_fields_that_are_refused(server: Server, fields: dict[str, str]) -> None:
    assert next(iter(fields)) in error_of(infer(server, **fields), 400)


@promises(
    AREA,
    "without `language` it is detected; `best_of`, `beam_size`, `entropy_thold` are ignored",
    "differs",
    "there it is the language of the server's start; decoding is this server's own",
)
def test_fields_that_are_ignored(server: Server) -> None:
    answer = infer(server, best_of="5", beam_size="5", entropy_thold="2.8")
    assert answer.json()["text"].strip() == TEXT


@promises(AREA, 'errors are `{"error": STRING}` from every layer', "as there")
def test_errors(server: Server, guarded: Server) -> None:
    url = f"{server.url}/inference"
    missing = httpx.post(url, files={"other": ("a.wav", b"RIFF")}, timeout=SECONDS)
    assert error_of(missing, 400) == "no 'file' field in the request"
    assert error_of(httpx.post(url, content=b"RIFF", timeout=SECONDS), 400)
    assert error_of(
        httpx.post(url, files={"file": (BROKEN / "text.mp3").open("rb")}, timeout=SECONDS), 400
    )
    assert error_of(httpx.get(url, timeout=SECONDS), 405)
    assert error_of(infer(guarded), 401)
    key = {"authorization": "Bearer another-key"}
    large = {"file": ("a.wav", bytes(2_000_000))}
    answer = httpx.post(f"{guarded.url}/inference", files=large, headers=key, timeout=SECONDS)
    assert error_of(answer, 413)


@promises(
    AREA,
    "`/load` with the default model: loaded; another one: 400",
    "differs",
    "a request names its model (`model=NAME`); no client changes it for the others",
)
def test_load(server: Server) -> None:
    def load(model: str) -> httpx.Response:
        return httpx.post(f"{server.url}/load", files={"model": (None, model)}, timeout=SECONDS)

    assert load("models/ggml-base.bin").text == "Load was successful!"
    assert "model=tiny.en" in error_of(load("models/ggml-tiny.en.bin"), 400)
    assert error_of(load("models/ggml-large-v3.bin"), 400) == "model not found!"
    assert infer(server, model="tiny.en").json()["text"].strip() == TEXT


@promises(AREA, "`GET /health`: `status` is `ok`", "as there")
def test_health(server: Server) -> None:
    assert httpx.get(f"{server.url}/health", timeout=SECONDS).json()["status"] == "ok"
