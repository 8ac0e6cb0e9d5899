"""OpenAI's Node SDK over the realtime API, which it opens as `wss:` alone: both of its classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server import Server
from tests.wire.conftest import KEY
from tests.wire.node_client import Node, Outcome
from tests.wire.promises import promises
from tests.wire.realtime_client import pcm

# As `tiny.en` hears the clip.
WORDS = "comparatively modern"
INTENT = {"intent": "transcription"}
MODEL = {"model": "whisper-1"}
# By `ws`, with the key in a header, and by the runtime's WebSocket, with it in a sub-protocol.
MODULES = ("ws", "websocket")


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip as PCM."""
    path = tmp_path_factory.mktemp("audio") / "clip.pcm"
    path.write_bytes(pcm())
    return path


def turn(
    node: Node, server: Server, audio: Path, *, major: int, module: str, target: object, key: str
) -> Outcome:
    """A turn that the client commits."""
    transcription = {"model": "gpt-4o-transcribe", "language": "en"}
    changes = {"turn_detection": None, "transcription": transcription}
    job: dict[str, Any] = {
        "package": f"openai{major}",
        "module": module,
        "target": target,
        "path": audio,
        "session": {"type": "transcription", "audio": {"input": changes}},
    }
    return node.run("realtime.mjs", server, key, job, server.certificate)


@promises("Clients", "OpenAI's Node SDK 7, both classes of `openai/realtime`: a turn, over TLS")
@pytest.mark.parametrize("target", [INTENT, MODEL], ids=["intent", "model"])
@pytest.mark.parametrize("module", MODULES)
def test_a_turn_by_sdk_7(
    node: Node, secure: Server, audio: Path, module: str, target: dict[str, str]
) -> None:
    value = turn(node, secure, audio, major=7, module=module, target=target, key=KEY).value

    assert WORDS in value["transcript"]
    assert value["types"][:2] == ["session.created", "session.updated"]
    assert value["protocol"] == ("realtime" if module == "websocket" else "")
    assert value["url"].startswith("wss://127.0.0.1")


@promises("Clients", "OpenAI's Node SDK 6, both classes, with `model`: a turn, over TLS")
@pytest.mark.parametrize("module", MODULES)
def test_a_turn_by_sdk_6(node: Node, secure: Server, audio: Path, module: str) -> None:
    value = turn(node, secure, audio, major=6, module=module, target=MODEL, key=KEY).value

    assert WORDS in value["transcript"]


@promises("Clients", "OpenAI's Node SDK 7, both classes: a wrong key is an `error` event of theirs")
@pytest.mark.parametrize("module", MODULES)
def test_a_wrong_key(node: Node, secure: Server, audio: Path, module: str) -> None:
    error = turn(node, secure, audio, major=7, module=module, target=INTENT, key="wrong").error

    assert error.name == "OpenAIRealtimeError"
