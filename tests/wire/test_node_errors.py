"""OpenAI's Node SDK: which error it throws, and that it sends nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server import Server
from tests.wire.conftest import KEY
from tests.wire.node_client import NODE_SDK, NodeError, OpenAISdk, Outcome, Upload
from tests.wire.promises import promises

streamed_or_not = pytest.mark.parametrize("streamed", [False, True], ids=["buffer", "stream"])


def sent_once(outcome: Outcome) -> NodeError:
    """The error of a call that was not tried again; it has the id of its request."""
    error = outcome.error
    assert len(outcome.requests) == 1, error
    assert (error.request_id or "").startswith("req_"), error
    return error


def zeros(folder: Path, megabytes: int, *, streamed: bool) -> Upload:
    """A file of so many megabytes, too large to be sent before an answer comes."""
    path = folder / "a.wav"
    with path.open("wb") as file:
        file.truncate(megabytes * 1_000_000)
    return Upload(path, streamed=streamed)


@promises("Clients", f"{NODE_SDK}: a bad parameter is a BadRequestError, with param and code")
def test_node_sdk_bad_parameter(node_sdk: OpenAISdk, server: Server) -> None:
    error = sent_once(node_sdk.transcribe(server, temperature=7))

    assert (error.name, error.status) == ("BadRequestError", 400)
    assert (error.param, error.code) == ("temperature", "invalid_value")
    assert error.type == "invalid_request_error"


@promises("Clients", f"{NODE_SDK}: what is not audio is a BadRequestError, and not sent again")
def test_node_sdk_undecodable_audio(node_sdk: OpenAISdk, server: Server) -> None:
    error = sent_once(node_sdk.transcribe(server, Upload(Path(__file__), "a.mp3")))

    assert (error.name, error.status, error.param) == ("BadRequestError", 400, "file")


@promises("Clients", f"{NODE_SDK}: a wrong key is an AuthenticationError")
def test_node_sdk_wrong_key(node_sdk: OpenAISdk, guarded: Server) -> None:
    error = sent_once(node_sdk.call(guarded, "models.list", key="not-a-key-of-theirs"))

    assert (error.name, error.status) == ("AuthenticationError", 401)
    assert error.code == "invalid_api_key"


@promises("Clients", f"{NODE_SDK}: a wrong key with 20 MB under way is one, too")
@streamed_or_not
def test_node_sdk_wrong_key_large_upload(
    node_sdk: OpenAISdk, guarded: Server, tmp_path: Path, streamed: bool
) -> None:
    file = zeros(tmp_path, 20, streamed=streamed)
    error = sent_once(node_sdk.transcribe(guarded, file, key="not-a-key-of-theirs"))

    assert (error.name, error.code) == ("AuthenticationError", "invalid_api_key")


@promises("Clients", f"{NODE_SDK}: an upload over the limit is an APIError of 413, sent once")
@streamed_or_not
@pytest.mark.parametrize("megabytes", [2, 60])
def test_node_sdk_upload_over_the_limit(
    node_sdk: OpenAISdk, guarded: Server, tmp_path: Path, streamed: bool, megabytes: int
) -> None:
    file = zeros(tmp_path, megabytes, streamed=streamed)
    error = sent_once(node_sdk.transcribe(guarded, file, key=KEY))

    assert (error.name, error.status) == ("APIError", 413)
    assert "too large" in error.message


@promises("Clients", f"{NODE_SDK}: the right key, and an upload below the limit")
def test_node_sdk_right_key(node_sdk: OpenAISdk, guarded: Server) -> None:
    assert node_sdk.transcribe(guarded, key=KEY).value["text"]
