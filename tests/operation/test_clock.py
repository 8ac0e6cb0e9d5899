"""A server whose clock is set, forward or back by a month, while it works."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.operation.processes import files, transcribe, workers
from tests.operation.traffic import is_idle, until
from tests.server import Server, serving

MONTH = timedelta(days=30)


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """The file that says how far ahead the server's clock is, in seconds."""
    path = tmp_path / "clock"
    path.write_text("0", encoding="utf-8")
    return path


@pytest.fixture
def server(home: Path, clock: Path) -> Iterator[Server]:
    """A server that has this clock."""
    settings = {"BENTOML_HOME": str(home), "TMPDIR": str(home / "temporary"), "CLOCK": str(clock)}
    with serving(
        home / "output.txt",
        "tests.operation.jumping_clock:Whisper",
        WHISPER_DEFAULT_MODEL="tiny.en",
        **settings,
    ) as running:
        yield running


def seconds_counted(server: Server) -> float:
    """How long all requests took together, as the metrics say."""
    metrics = httpx.get(f"{server.url}/metrics").text
    found = re.findall(r"^whisper_request_duration_seconds_sum\{.*\} (\S+)$", metrics, re.MULTILINE)
    return sum(map(float, found))


@pytest.mark.parametrize("jump", [MONTH, -MONTH], ids=["forward", "back"])
def test_a_clock_that_jumps_changes_nothing(
    server: Server, clock: Path, home: Path, minute: Path, jump: timedelta
) -> None:
    began = time.monotonic()
    text = transcribe(server, minute).json()["text"]
    [worker] = workers(server)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(transcribe, server, minute)
        until(server, lambda said: said["queue"]["running"] == 1)
        clock.write_text(str(jump.total_seconds()), encoding="utf-8")
        answer = asked.result()

    assert (answer.status_code, answer.json()["text"]) == (200, text)
    assert transcribe(server, minute).json()["text"] == text
    # The server has seen the jump: its log goes by that clock.
    assert f"{datetime.now().astimezone() + jump:%Y-%m-%d}" in server.printed
    assert 0 < seconds_counted(server) < time.monotonic() - began
    until(server, is_idle)
    assert workers(server) == [worker]
    assert files(home) == []
