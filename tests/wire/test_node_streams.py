"""OpenAI's Node SDK: transcriptions as streams of events."""

from __future__ import annotations

from tests.server import Server
from tests.speech_clips import clips
from tests.wire.http import TEXT
from tests.wire.node_client import NODE_SDK, OpenAISdk, Upload
from tests.wire.promises import promises

LONG = next(clip for clip in clips(language="en") if clip.is_long)
IGNORED = "Hosted whisper-1 ignores `stream`."


@promises(
    "Clients", f"{NODE_SDK}: `stream: true`; the deltas join to the text", "extension", IGNORED
)
def test_node_sdk_stream(node_sdk: OpenAISdk, server: Server) -> None:
    *deltas, done = node_sdk.transcribe(server, Upload(LONG.path), stream=True).value

    assert len(deltas) > 1
    assert {event["type"] for event in deltas} == {"transcript.text.delta"}
    assert done["type"] == "transcript.text.done"
    assert "".join(event["delta"] for event in deltas) == done["text"]


@promises("Clients", f"{NODE_SDK}: log-probabilities in a stream", "extension", IGNORED)
def test_node_sdk_stream_with_logprobs(node_sdk: OpenAISdk, server: Server) -> None:
    events = node_sdk.transcribe(server, stream=True, include=["logprobs"]).value

    texts = [b"".join(bytes(token["bytes"]) for token in event["logprobs"]) for event in events]
    assert texts == [TEXT.encode()] * 2


@promises(
    "Clients", f"{NODE_SDK}: a stream that is aborted; the server goes on", "extension", IGNORED
)
def test_node_sdk_stream_aborted(node_sdk: OpenAISdk, server: Server) -> None:
    before = len(server.printed)
    events = node_sdk.transcribe(server, Upload(LONG.path), stream=True, abort_after=1).value
    after = node_sdk.transcribe(server)

    # What had come with the first event is still given.
    assert events[0]["type"] == "transcript.text.delta"
    assert after.value["text"] == TEXT
    assert "Traceback" not in server.printed[before:]
