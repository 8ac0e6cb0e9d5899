"""Vercel's AI SDK: `experimental_streamTranscribe`, which ends at the first turn's transcript."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.server import Server
from tests.speech_clips import clips, jfk
from tests.wire.conftest import KEY
from tests.wire.node_client import Node, Outcome
from tests.wire.promises import promises
from tests.wire.realtime_client import pcm, silence

VERCEL = "Vercel's AI SDK 7, `experimental_streamTranscribe`"
SENTENCES = (jfk().path, *(clip.path for clip in clips(language="en") if "beyond" in clip.text))


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences with pauses between them, as PCM."""
    path = tmp_path_factory.mktemp("audio") / "sentences.pcm"
    path.write_bytes(silence(1500).join(map(pcm, SENTENCES)))
    return path


def transcribe(
    node: Node, server: Server, audio: Path, key: str = "unused", **options: object
) -> Outcome:
    """A live transcription with these options of OpenAI's provider."""
    job: Mapping[str, Any] = {
        "model": "gpt-live-transcribe",
        "path": audio,
        "options": {"providerOptions": {"openai": options}},
    }
    return node.run("vercel_live.mjs", server, key, job)


@promises("Clients", f"{VERCEL}: all the text of several sentences, and its deltas")
def test_several_sentences(node: Node, server: Server, audio: Path) -> None:
    value = transcribe(node, server, audio, language="en").value

    assert "what your country can do for you" in value["text"]
    assert "softly over beyond the rocks" in value["text"]
    assert len(value["deltas"]) > 1
    assert "".join(value["deltas"]) == value["text"]
    assert value["warnings"] == []


@promises("Clients", f"{VERCEL}: its key, which is in a sub-protocol alone")
def test_a_key_in_a_sub_protocol(node: Node, guarded: Server, audio: Path) -> None:
    assert "country" in transcribe(node, guarded, audio, key=KEY).value["text"]
    assert transcribe(node, guarded, audio, key="wrong").error.message
