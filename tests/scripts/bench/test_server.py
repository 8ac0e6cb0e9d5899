"""The server benchmark against small servers on 127.0.0.1."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from api.app import create_app
from api.requests.model_registry import Transcriber
from models.errors import OverloadedError
from scripts.bench import server as bench_server
from scripts.shared.report import percentile
from tests.api.fake import EndlessTranscriber, FailingTranscriber, FakeTranscriber, served
from tests.server import free_port, listening
from tests.speech_clips import jfk

pytestmark = pytest.mark.skipif(find_spec("jiwer") is None, reason="the bench extra is missing")
Bench = Callable[..., dict[str, Any]]


def serving(transcriber: Transcriber) -> Any:
    app = create_app("1.2.3")
    app.state.registry = served("base", transcriber=transcriber)
    return app


async def streaming(request: Request) -> Response:
    """A transcript, as OpenAI streams it where that is asked for."""
    async with request.form() as form:
        if "stream" not in form:
            return JSONResponse({"text": "ask not"})

    async def events() -> AsyncIterator[str]:
        for kind, key in (("delta", "delta"), ("done", "text")):
            yield f'data: {{"type": "transcript.text.{kind}", "{key}": "ask not"}}\n\n'

    return StreamingResponse(events(), media_type="text/event-stream")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    def measure(url: str, *arguments: str) -> dict[str, Any]:
        file = tmp_path / "report.json"
        assert bench_server.main(["--url", url, "--json", str(file), *arguments]) == 0
        report: dict[str, Any] = json.loads(file.read_text())
        return report

    return measure


def test_closed_loop_sends_every_request_once(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    transcriber = FakeTranscriber()
    with listening(serving(transcriber)) as url:
        report = bench(url, "--clients", "3", "--requests", "12", "--limit", "5", "--stream")
    assert report["statuses"] == {"200": 12}
    # one request to see whether the server answers, one whether it streams
    assert len(transcriber.calls) == 14
    assert report["rtfx"] > 0
    assert report["wer_percent"] > 50  # the fake hears another text
    assert report["latency"]["all"]["count"] == 12
    parts = [found["count"] for name, found in report["latency"].items() if name != "all"]
    assert sum(parts) == 12
    assert 0 < report["latency"]["all"]["p50"] <= report["latency"]["all"]["p99"]
    assert report["first_segment"]["count"] == 12
    assert "first segment" in capsys.readouterr().out


def test_open_loop_sends_at_its_rate(bench: Bench) -> None:
    with listening(serving(FakeTranscriber())) as url:
        report = bench(url, "--rate", "40", "--requests", "20", "--limit", "2")
    assert report["statuses"] == {"200": 20}
    assert 0.2 < report["seconds"] < 5.0


def test_streamed_answers_have_a_first_segment(bench: Bench) -> None:
    app = Starlette(
        routes=[Route("/v1/audio/transcriptions", streaming, methods=["POST"])],
    )
    with listening(app) as url:
        report = bench(url, "--stream", "--requests", "4", "--limit", "1")
    assert report["first_segment"]["count"] == 4
    assert 0 < report["first_segment"]["p50"] <= report["latency"]["all"]["p99"]


def test_background_runs_meanwhile(bench: Bench) -> None:
    with listening(serving(FakeTranscriber())) as url:
        report = bench(
            url,
            "--requests",
            "20",
            "--limit",
            "2",
            "--clients",
            "1",
            "--background",
            str(jfk().path),
        )
    assert report["background"]["200"] > 0
    assert report["latency"]["all"]["count"] == 20


def test_time_limit_leaves_requests_unfinished(tmp_path: Path) -> None:
    transcriber = EndlessAfterOne()
    with listening(serving(transcriber)) as url:
        file = tmp_path / "report.json"
        begin = time.monotonic()
        assert (
            bench_server.main(
                ["--url", url, "--json", str(file), "--time-limit", "1", "--requests", "5"]
            )
            == 0
        )
        assert time.monotonic() - begin < 60
    assert json.loads(file.read_text())["statuses"] == {"unfinished": 5}


class EndlessAfterOne(FakeTranscriber):
    """Answers once, then never."""

    async def transcribe(
        self, audio: Any, options: Any, on_segment: Any = None, usage: Any = None
    ) -> Any:
        """The first transcript, or none."""
        if self.calls:
            return await EndlessTranscriber().transcribe(audio, options)
        return await super().transcribe(audio, options, on_segment)


def test_refusing_server_is_an_error_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = FailingTranscriber(OverloadedError("The queue is full.", 1.0))
    with listening(serving(failing)) as url:
        assert bench_server.main(["--url", url, "--json", str(tmp_path / "r.json")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "503 The queue is full." in error


def test_absent_server_is_an_error_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert bench_server.main(["--url", url, "--json", str(tmp_path / "r.json")]) == 1
    assert "ConnectError" in capsys.readouterr().err


def test_percentile_is_the_nearest_rank() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert [percentile(values, percent) for percent in (50, 95, 99)] == [50.0, 95.0, 99.0]
    assert percentile([3.0], 50) == 3.0
    assert percentile([], 95) is None
