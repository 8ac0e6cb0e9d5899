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

from tests.operation.processes import (
    LONGEST_SECONDS,
    eventually,
    files,
    transcribe,
    workers,
)
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
    metrics = httpx.get(f"{server.url}/metrics", timeout=LONGEST_SECONDS).text
    found = re.findall(r"^whisper_request_duration_seconds_sum\{.*\} (\S+)$", metrics, re.MULTILINE)
    return sum(map(float, found))


def test_a_clock_that_jumps_changes_nothing(
    server: Server, clock: Path, home: Path, minute: Path
) -> None:
    began = time.monotonic()
    text = transcribe(server, minute).json()["text"]
    [worker] = workers(server)
    # Forward, and then back beyond where it was.
    for jump in (MONTH, -MONTH):
        answer = answer_at_a_jump(server, clock, minute, jump)

        assert (answer.status_code, answer.json()["text"]) == (200, text)
        assert transcribe(server, minute).json()["text"] == text
        assert has_seen(server, jump)
        assert 0 < seconds_counted(server) < time.monotonic() - began
        until(server, is_idle)
        assert workers(server) == [worker]
        assert files(home) == []


def answer_at_a_jump(server: Server, clock: Path, minute: Path, jump: timedelta) -> httpx.Response:
    """The answer to a recording that is worked on when the clock jumps."""
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(transcribe, server, minute)
        until(server, lambda said: asked.done() or said["queue"]["running"] == 1)
        clock.write_text(str(jump.total_seconds()), encoding="utf-8")
        return asked.result()


def has_seen(server: Server, jump: timedelta) -> bool:
    """Whether its log goes by that clock, perhaps since the day before."""
    now = datetime.now().astimezone() + jump
    days = [f"{each:%Y-%m-%d}" for each in (now, now - timedelta(days=1))]
    return eventually(lambda: any(day in server.printed for day in days))
