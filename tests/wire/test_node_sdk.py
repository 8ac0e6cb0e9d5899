"""OpenAI's Node SDK: answers in every format, from every kind of file."""

from __future__ import annotations

import pytest

from tests.server import Server
from tests.speech_clips import clips
from tests.wire.http import TEXT
from tests.wire.node_client import AS_FILE, AS_STREAM, NODE_SDK, OpenAISdk, Upload
from tests.wire.promises import promises

GERMAN = next(clip for clip in clips(language="de") if not clip.is_long)
CREATE = "audio.transcriptions.create"


@promises("Clients", f"{NODE_SDK}: json, from `toFile(buffer, 'a.wav')`, with `_request_id`")
def test_node_sdk_json(node_sdk: OpenAISdk, server: Server) -> None:
    outcome = node_sdk.transcribe(server, model="whisper-1")

    assert outcome.value == {"text": TEXT, "usage": {"type": "duration", "seconds": 2}}
    assert outcome.request_id is not None
    assert outcome.request_id.startswith("req_")
    assert len(outcome.requests) == 1


@promises("Clients", f"{NODE_SDK}: text is a string")
def test_node_sdk_text(node_sdk: OpenAISdk, server: Server) -> None:
    assert node_sdk.transcribe(server, response_format="text").value == f"{TEXT}\n"


@promises("Clients", f"{NODE_SDK}: srt and vtt are strings")
@pytest.mark.parametrize(
    ("response_format", "start"),
    [("srt", "1\n00:00:00,000 --> 00:00:"), ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:")],
)
def test_node_sdk_subtitles(
    node_sdk: OpenAISdk, server: Server, response_format: str, start: str
) -> None:
    subtitles = node_sdk.transcribe(server, response_format=response_format).value

    assert subtitles.startswith(start)
    assert subtitles.endswith(f"\n{TEXT}\n\n")


@promises("Clients", f"{NODE_SDK}: verbose_json with words and segments")
def test_node_sdk_verbose_json(node_sdk: OpenAISdk, server: Server) -> None:
    transcript = node_sdk.transcribe(
        server,
        model="whisper-1",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    ).value

    assert (transcript["task"], transcript["language"]) == ("transcribe", "english")
    assert transcript["duration"] == pytest.approx(1.9, abs=0.01)
    assert [segment["text"].strip() for segment in transcript["segments"]] == [TEXT]
    assert [word["word"] for word in transcript["words"]] == TEXT.rstrip(".").split()


@promises("Clients", f"{NODE_SDK}: from `fs.createReadStream`: in chunks, without a length")
@pytest.mark.parametrize("file_first", [True, False])
def test_node_sdk_stream_of_a_file(node_sdk: OpenAISdk, server: Server, file_first: bool) -> None:
    file, model = {"file": AS_STREAM}, {"model": "tiny.en"}
    form = {**file, **model} if file_first else {**model, **file}
    outcome = node_sdk.call(server, CREATE, form)

    assert outcome.value["text"] == TEXT
    assert [request.streamed for request in outcome.requests] == [True]


@promises("Clients", f"{NODE_SDK}: the file before or after the other fields")
@pytest.mark.parametrize("names", [("file", "model"), ("model", "file")])
def test_node_sdk_order_of_keys(
    node_sdk: OpenAISdk, server: Server, names: tuple[str, str]
) -> None:
    values = {"file": AS_FILE, "model": "tiny.en"}
    outcome = node_sdk.call(server, CREATE, {name: values[name] for name in names})

    assert outcome.value["text"] == TEXT
    assert outcome.requests[0].fields == list(names)


@promises(
    "Clients",
    f"{NODE_SDK}: a file without a name",
    "extension",
    "The hosted service goes by the extension of the name, this one by the content.",
)
def test_node_sdk_nameless_file(node_sdk: OpenAISdk, server: Server) -> None:
    assert node_sdk.transcribe(server, Upload(name=None)).value["text"] == TEXT


@promises("Clients", f"{NODE_SDK}: translations")
def test_node_sdk_translates(node_sdk: OpenAISdk, server: Server) -> None:
    form = {"file": Upload(GERMAN.path), "model": "whisper-1", "response_format": "verbose_json"}
    translation = node_sdk.call(server, "audio.translations.create", form).value

    assert (translation["task"], translation["language"]) == ("translate", "english")
    assert translation["text"]
