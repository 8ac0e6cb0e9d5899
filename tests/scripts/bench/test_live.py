"""The live benchmark, run for real on a clip, and its client over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from scripts.bench import live
from scripts.bench.live_speakers import LiveConfig, Spoken, over, speak
from scripts.shared.corpus import Choice, choose
from scripts.shared.errors import BenchError

needs_bench = pytest.mark.skipif(find_spec("jiwer") is None, reason="the bench extra is missing")


@needs_bench
def test_live_measures_words_finals_and_errors(tmp_path: Path) -> None:
    report = tmp_path / "live.json"
    options = ["--model", "tiny.en", "--limit", "1", "--device", "cpu", "--json", str(report)]
    assert live.main(options) == 0

    written = json.loads(report.read_text(encoding="utf-8"))
    assert written["words settled"] >= 5
    assert 0 < written["word latency p50"] <= written["word latency p90"]
    assert 0 < written["final p50"] <= written["final p95"]
    assert written["clips without text"] == 0
    assert 0 <= written["WER live"] <= 100
    assert written["cpu_seconds"] > 0


def test_words_of_deltas_have_the_time_of_their_last_letter() -> None:
    texts = [(1.0, "And"), (2.0, " so my fel"), (3.0, "low"), (4.0, " "), (5.0, "Ask")]
    assert live._whole_words(texts) == [  # noqa: SLF001
        (1.0, "And"),
        (2.0, "so"),
        (2.0, "my"),
        (3.0, "fellow"),
        (5.0, "Ask"),
    ]


def test_a_clip_is_over_when_all_its_turns_are_completed() -> None:
    spoken = Spoken(choose(Choice(limit=1))[0])
    for kind, text in [("began", ""), ("text", "And"), ("began", ""), ("completed", "")]:
        spoken.hear(kind, text, 1.0)  # type: ignore[arg-type]
    assert spoken.open_turns == 1
    spoken.hear("completed", "", 2.0)

    assert (spoken.open_turns, spoken.text, spoken.completed) == (0, "And", [1.0, 2.0])
    assert spoken.is_at_an_end(1.98)
    assert not spoken.is_at_an_end(1.5)


class Server:
    """A realtime API that completes a turn behind the first second of sound."""

    def __init__(self, error: str = "") -> None:
        self.error = error
        self.updates: list[dict[str, object]] = []
        self.queries: list[str] = []
        self.heard = 0

    async def answer(self, socket: WebSocket) -> None:
        await socket.accept()
        self.queries.append(str(socket.url.query))
        async for message in socket.iter_text():
            event = json.loads(message)
            if event["type"] == "session.update":
                self.updates.append(event["session"])
                if self.error:
                    await socket.send_json({"type": "error", "error": {"message": self.error}})
                continue
            self.heard += 1
            if self.heard == 20:
                prefix = "conversation.item.input_audio_transcription"
                await socket.send_json({"type": "input_audio_buffer.speech_started"})
                await socket.send_json({"type": f"{prefix}.delta", "delta": "And so"})
                await socket.send_json({"type": f"{prefix}.completed", "transcript": "And so"})


async def talk(server: Server) -> list[Spoken]:
    """What one speaker's clip comes to at the server."""
    app = Starlette(routes=[WebSocketRoute("/v1/realtime", server.answer)])
    running = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    serving = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110 - uvicorn sets no event
        await asyncio.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    connect = over(f"http://127.0.0.1:{port}", "key", LiveConfig("base", "en", "low", 300))
    clip = choose(Choice(limit=2, shorter_than=4))[0]
    try:
        async with asyncio.timeout(60):
            return await speak(connect, [clip])
    finally:
        running.should_exit = True
        await serving


def test_a_server_is_spoken_to_in_real_time_over_its_websocket() -> None:
    server = Server()
    (spoken,) = asyncio.run(talk(server))

    assert spoken.text == "And so"
    assert spoken.completed[0] == pytest.approx(1.0, abs=0.9)
    assert server.queries == ["intent=transcription&model=base"]
    (update,) = server.updates
    assert update["audio"]["input"]["transcription"]["delay"] == "low"  # type: ignore[index]


def test_a_refused_session_is_no_measurement() -> None:
    with pytest.raises(BenchError, match="no such language"):
        asyncio.run(talk(Server(error="no such language")))
