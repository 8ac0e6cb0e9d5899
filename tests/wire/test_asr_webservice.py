"""whisper-asr-webservice's clients, byte by byte: Bazarr, Speakr, whisper-to-input."""

from __future__ import annotations

import re
import time
import wave
from collections.abc import Mapping
from io import BytesIO
from typing import Final

import av
import httpx
import pytest

from tests.server import Server
from tests.speech_clips import BROKEN, FORMATS
from tests.wire.conftest import KEY
from tests.wire.http import CLIP, SECONDS, TEXT, connect, exchange
from tests.wire.promises import promises

AREA: Final = "whisper-asr-webservice"
BOUNDARY = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
CUE = re.compile(r"1\n(00:00:0\d,\d{3}) --> (00:00:0\d,\d{3})\n(.+)\n\n")
TIMES = re.compile(rb"\d{1,2}:\d{1,2}(:\d{1,2})?[.,]\d{1,3}|-->")


def samples() -> bytes:
    """The clip's, as Bazarr has FFmpeg write them: 16-bit mono at 16 kHz, and no header."""
    resampler = av.AudioResampler("s16", "mono", 16_000)
    with av.open(str(CLIP)) as container:
        frames = [resampler.resample(frame) for frame in container.decode(audio=0)]
    frames.append(resampler.resample(None))
    return b"".join(frame.to_ndarray().tobytes() for made in frames for frame in made)


def of_bazarr(
    path: str, content: bytes, *, length: int | None = None, name: str = "audio_file"
) -> bytes:
    """A request as requests writes it for Bazarr."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
    )
    body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    lines = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Subliminal/2.1.0\r\n"
        "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: close\r\n"
        f"Content-Length: {length or len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    )
    return lines.encode() + body


def split(answer: bytes) -> tuple[int, Mapping[str, str], bytes]:
    """The status, headers and body of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, body


@promises(AREA, "Bazarr: `/asr` with samples without a header gets SubRip", "as there")
@pytest.mark.parametrize("task", ["transcribe", "translate"])
def test_bazarr_subtitles(server: Server, task: str) -> None:
    path = f"/asr?task={task}&language=en&output=srt&encode=false&video_file=%2Ftv%2Fa.mkv"
    status, headers, body = split(exchange(server, of_bazarr(path, samples())))

    assert status == 200
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["content-disposition"] == 'attachment; filename="audio_file.srt"'
    assert headers["asr-engine"] == "whisper-bento"
    cue = CUE.fullmatch(body.decode())
    assert cue
    if task == "transcribe":
        assert cue[3] == TEXT


@promises(AREA, "Bazarr: `/detect-language` names a language by code and name", "as there")
def test_bazarr_language(server: Server) -> None:
    request = of_bazarr("/detect-language?encode=false", samples())
    status, headers, body = split(exchange(server, request))
    answer = httpx.Response(status, content=body).json()

    assert (status, headers["content-type"]) == (200, "application/json")
    assert list(answer) == ["detected_language", "language_code", "confidence"]
    assert (answer["detected_language"], answer["language_code"]) == ("english", "en")
    assert 0.5 < answer["confidence"] <= 1


@promises(AREA, "`language_code` is `und` where nobody speaks", "extension", "as Subgen answers")
def test_language_of_silence(server: Server) -> None:
    request = of_bazarr("/detect-language?encode=false", bytes(64_000))
    answer = httpx.Response(200, content=split(exchange(server, request))[2]).json()

    assert (answer["language_code"], answer["confidence"]) == ("und", 0.0)


@promises(
    AREA,
    "no error is a subtitle: never 200, a line of JSON without a time",
    "differs",
    "there it is a 422 or 500, and what a client sent may be in it; Bazarr keeps any body",
)
def test_errors_are_no_subtitles(server: Server, guarded: Server) -> None:
    cue = "1%0A00:00:01,000%20--%3E%2000:00:02,000%0AHello"
    broken = (BROKEN / "text.mp3").read_bytes()
    requests = [
        (server, of_bazarr("/asr?output=srt&encode=false", b""), 400),
        (server, of_bazarr("/asr?output=srt", broken), 400),
        (server, of_bazarr(f"/asr?output={cue}&encode=false", samples()), 400),
        (server, of_bazarr("/asr?output=srt&language=klingon", samples()), 400),
        (server, of_bazarr("/asr?output=srt", samples(), name="other"), 400),
        (server, b"GET /asr?output=srt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
        (guarded, of_bazarr("/asr?output=srt&encode=false", samples()), 401),
        (guarded, of_bazarr("/detect-language", samples()), 401),
    ]
    for asked, request, expected in requests:
        status, headers, body = split(exchange(asked, request))
        assert (status, headers["content-type"]) == (expected, "application/json"), request[:80]
        assert list(httpx.Response(status, content=body).json()) == ["detail"]
        assert b"\n" not in body
        assert not TIMES.search(body)


@promises(AREA, "a client that leaves in mid-body is let go", "as there")
def test_client_that_leaves(server: Server) -> None:
    request = of_bazarr("/asr?output=srt&encode=false", samples(), length=10_000_000)
    with connect(server) as connection:
        connection.sendall(request)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        queue = httpx.get(f"{server.url}/health", timeout=SECONDS).json()["queue"]
        if not queue["running"] and not queue["waiting"]:
            break
    assert (queue["running"], queue["waiting"]) == (0, 0)
    status, _, body = split(
        exchange(server, of_bazarr("/asr?output=txt&encode=false&language=en", samples()))
    )
    assert (status, body.decode()) == (200, f"{TEXT}\n")


@promises(
    AREA,
    "samples without a header are limited by `WHISPER_MAX_PCM_SECONDS`, not by a body's bytes",
    "extension",
)
def test_samples_beyond_the_limit_of_bodies(guarded: Server) -> None:
    key = {"authorization": f"Bearer {KEY}"}
    silence = {"audio_file": ("audio_file", bytes(40 * 32_000))}
    url = f"{guarded.url}/asr?output=srt&encode="
    answer = httpx.post(f"{url}false", files=silence, headers=key, timeout=SECONDS)
    assert (answer.status_code, answer.text) == (200, "")
    assert httpx.post(f"{url}true", files=silence, headers=key, timeout=SECONDS).status_code == 413


@promises(AREA, "`encode=false` with a file that FFmpeg knows: read as that file", "extension")
@pytest.mark.parametrize("encode", ["false", "true"])
def test_file_whatever_encode_says(server: Server, encode: str) -> None:
    files = {"audio_file": ("a.flac", CLIP.read_bytes())}
    query = {"encode": encode, "language": "en"}
    answer = httpx.post(f"{server.url}/asr", params=query, files=files, timeout=SECONDS)
    assert (answer.status_code, answer.text) == (200, f"{TEXT}\n")


@promises(AREA, "Speakr: `output=json` with `diarize`, and its health probes", "as there")
def test_speakr(server: Server) -> None:
    query: dict[str, str | bool | int] = {"encode": True, "task": "transcribe", "output": "json"}
    query |= {
        "language": "en",
        "diarize": True,
        "enable_diarization": True,
        "min_speakers": 1,
        "hotwords": "modern",
    }
    files = {"audio_file": ("meeting.flac", CLIP.read_bytes(), "audio/flac")}
    with httpx.Client(timeout=SECONDS) as client:
        for probe in ("/health", "/"):
            assert client.get(f"{server.url}{probe}", timeout=SECONDS).status_code < 500
        answer = client.post(f"{server.url}/asr", params=query, files=files, timeout=SECONDS)
    told = answer.json()

    assert answer.status_code == 200
    # Words to expect are a prompt, after which the text begins with a capital.
    assert (told["text"].lower(), told["language"]) == (TEXT, "en")
    assert [segment["text"].strip() for segment in told["segments"]] == [told["text"]]
    assert 0 <= told["segments"][0]["start"] < told["segments"][0]["end"] <= 1.95
    assert told["segments"][0]["words"] is None


@promises(AREA, "`word_timestamps=true`: words with probabilities in json", "as there")
def test_words(server: Server) -> None:
    query = {"output": "json", "word_timestamps": "true", "language": "en"}
    files = {"audio_file": ("a.flac", CLIP.read_bytes())}
    answer = httpx.post(f"{server.url}/asr", params=query, files=files, timeout=SECONDS)
    (segment,) = answer.json()["segments"]

    assert "".join(word["word"] for word in segment["words"]) == segment["text"]
    assert all(0 < word["probability"] <= 1 for word in segment["words"])


@promises(AREA, "whisper-to-input: the body is the text", "as there")
def test_whisper_to_input(server: Server) -> None:
    content = (FORMATS / "jfk.m4a").read_bytes()
    head = (
        f"--{BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="audio_file"; filename="@audio.m4a"\r\n'
        f"Content-Type: audio/mp4\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    query = "encode=true&task=transcribe&language=en&word_timestamps=false&output=txt"
    lines = (
        f"POST /asr?{query} HTTP/1.1\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(body)}\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        "Accept-Encoding: gzip\r\nUser-Agent: okhttp/4.11.0\r\n\r\n"
    )
    status, headers, text = split(exchange(server, lines.encode() + body))

    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert "ask not what your country can do for you" in text.decode().replace(",", "")


@promises(AREA, "outputs vtt and tsv", "as there")
def test_other_outputs(server: Server) -> None:
    made = BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(samples())
    files = {"audio_file": ("a.wav", made.getvalue())}
    url = f"{server.url}/asr?language=en&output="
    vtt = httpx.post(f"{url}vtt", files=files, timeout=SECONDS).text
    tsv = httpx.post(f"{url}tsv", files=files, timeout=SECONDS).text

    assert re.fullmatch(r"WEBVTT\n\n00:0\d\.\d{3} --> 00:0\d\.\d{3}\n.+\n\n", vtt)
    assert re.fullmatch(r"start\tend\ttext\n\d+\t\d+\t.+\n", tsv)
