"""Runs and engines that are killed: nothing is lost but an interval, and killer files are found."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from bulk.parts import done_ids
from bulk.runners.engine_process import start_child
from bulk.runners.supervised import Supervised
from client.backend.errors import NoServiceError
from client.backend.request import Request
from tests.bulk.doubles import (
    BROKEN,
    GATED,
    KILLER,
    LOSING,
    NO_JSON,
    by_content,
    manifest_of,
    recordings,
    results,
    run_of,
    work_of,
)
from tests.server import PROJECT, SECONDS

ROWS = 60
PART_ROWS = 10
IN_FLIGHT = 4


class Bulk:
    """Runs over a folder of recordings, each in a process of its own."""

    def __init__(self, folder: Path, contents: list[str]) -> None:
        self.paths = recordings(folder / "in", contents)
        self.manifest = manifest_of(folder / "m.jsonl", self.paths)
        self.out, self.calls = folder / "out", folder / "calls"
        self.calls.touch()
        self._folder = folder

    def started(self) -> subprocess.Popen[bytes]:
        """A run that has begun."""
        command = [sys.executable, "-m", "tests.bulk.program"]
        given = [str(self.manifest), str(self.out), str(self.calls), str(PART_ROWS)]
        return subprocess.Popen(
            [*command, *given], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def through(self) -> tuple[int, dict[str, Any], str]:
        """Exit status, summary and errors of a run."""
        process = self.started()
        out, errors = process.communicate(timeout=SECONDS)
        return process.returncode, json.loads(out), errors.decode()

    @property
    def called(self) -> Counter[str]:
        """How often an engine had each file."""
        return Counter(self.calls.read_text().splitlines())

    @property
    def engines(self) -> list[int]:
        """The ids of all engines' processes, in order."""
        path = self._folder / "engines"
        return [int(each) for each in path.read_text().split()] if path.exists() else []


def until(condition: Callable[[], bool]) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def has_gone(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    return True


def opened(path: Path) -> None:
    """Let a gated recording go on; it is whole at any time."""
    partial = path.with_suffix(".tmp")
    partial.write_text("opened")
    partial.replace(path)


def test_killed_runs_lose_no_part_and_no_row(tmp_path: Path) -> None:
    gates = [GATED] * IN_FLIGHT
    bulk = Bulk(tmp_path, [*(f"text {n}" for n in range(ROWS - IN_FLIGHT)), *gates])
    draw = random.Random(26)
    # Not more often, or a row that is alone behind a gate would be given up.
    for _ in range(3):
        before, done = bulk.called.total(), done_ids(bulk.out)
        process = bulk.started()
        moment = before + draw.randint(0, 2 * PART_ROWS)
        until(
            lambda: (
                bulk.called.total() >= moment  # noqa: B023
                or len(done_ids(bulk.out)) == ROWS - IN_FLIGHT
            )
        )
        process.kill()
        process.communicate(timeout=SECONDS)
        until(lambda: all(map(has_gone, bulk.engines)))
        # Parts that were published stay; how much is in none is the part writer's test.
        assert done <= done_ids(bulk.out)
    for path in bulk.paths[-IN_FLIGHT:]:
        opened(path)
    status, summary, _ = bulk.through()
    assert (status, summary["failed"]) == (0, 0)
    found = by_content(bulk.out)
    assert [found[path.name]["text"] for path in bulk.paths] == [
        *(f"text {n}" for n in range(ROWS - IN_FLIGHT)),
        *["opened"] * IN_FLIGHT,
    ]


def test_killed_engines_are_started_again_and_no_row_fails(tmp_path: Path) -> None:
    stage = ["text"] * 12 + [GATED] * IN_FLIGHT
    bulk = Bulk(tmp_path, stage * 3)
    gated = [path for path, text in zip(bulk.paths, stage * 3, strict=True) if text == GATED]
    process = bulk.started()
    for kills in range(3):
        gates = gated[kills * IN_FLIGHT :][:IN_FLIGHT]
        # They have all places of the engine, so nothing else is at work when it is killed.
        until(lambda: all(bulk.called[path.name] for path in gates))  # noqa: B023
        os.kill(bulk.engines[-1], signal.SIGKILL)
        for path in gates:
            opened(path)
    out, _ = process.communicate(timeout=SECONDS)
    summary = json.loads(out)
    assert (process.returncode, summary["ok"], summary["engine_restarts"]) == (0, len(stage) * 3, 3)
    assert len(by_content(bulk.out)) == len(stage) * 3
    assert bulk.called.total() == len(stage) * 3 + 3 * IN_FLIGHT


def test_a_killer_file_has_crashed_and_the_others_are_done(tmp_path: Path) -> None:
    contents = [f"text {n}" for n in range(20)]
    contents[3] = KILLER
    contents[9] = BROKEN
    bulk = Bulk(tmp_path, contents)
    status, summary, _ = bulk.through()
    found = by_content(bulk.out)
    assert (status, summary["ok"], summary["engine_restarts"]) == (0, 18, 2)
    assert summary["failures"] == {"audio_error": 1, "crashed": 1}
    error = found["00003.wav"]["error"]
    assert error["code"] == "crashed"
    assert "ended by SIGKILL" in error["message"]
    assert bulk.called["00003.wav"] == 2
    assert len(bulk.engines) == 3
    until(lambda: all(map(has_gone, bulk.engines)))


def test_an_engine_that_can_do_nothing_more_is_started_again(tmp_path: Path) -> None:
    bulk = Bulk(tmp_path, ["a", LOSING, "c"])
    status, summary, errors = bulk.through()
    assert (status, summary["ok"], summary["failures"]) == (0, 2, {"crashed": 1})
    assert errors.count("the engine ends: the device is lost") == 2
    assert "ended with status 3" in by_content(bulk.out)["00001.wav"]["error"]["message"]


def test_an_answer_that_cannot_be_sent_is_one_failed_row(tmp_path: Path) -> None:
    bulk = Bulk(tmp_path, ["a", NO_JSON, "c"])
    status, summary, _ = bulk.through()
    assert (status, summary["ok"], summary["failures"]) == (0, 2, {"internal_error": 1})
    assert summary["engine_restarts"] == 0


def test_many_killer_files_end_the_run_and_the_next_goes_on(tmp_path: Path) -> None:
    bulk = Bulk(tmp_path, [KILLER] * 8 + ["text"] * 8)
    status, summary, errors = bulk.through()
    assert (status, summary["engine_restarts"]) == (1, 5)
    assert "has ended too often" in errors
    assert len(bulk.engines) == 6
    runs = 1
    while len(done_ids(bulk.out)) < 16:
        assert (runs := runs + 1) < 6
        bulk.through()
    assert Counter((each["error"] or {}).get("code") for each in results(bulk.out)) == {
        None: 8,
        "crashed": 8,
    }


def test_a_run_that_is_killed_at_the_same_row_again_and_again_gives_it_up(tmp_path: Path) -> None:
    bulk = Bulk(tmp_path, ["a", "b", GATED])
    for times in range(1, 5):
        process = bulk.started()
        until(lambda: bulk.called["00002.wav"] == times)  # noqa: B023
        until(lambda: bulk.out.exists() and len(done_ids(bulk.out)) == 2)
        process.kill()
        process.communicate(timeout=SECONDS)
    status, summary, _ = bulk.through()
    assert (status, summary["failures"]) == (0, {"crashed": 1})
    assert bulk.called["00002.wav"] == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_ends_its_engine_and_leaves_no_suspects(
    tmp_path: Path, number: signal.Signals
) -> None:
    bulk = Bulk(tmp_path, ["a", "b", GATED])
    process = bulk.started()
    until(lambda: bulk.called["00002.wav"] == 1)
    process.send_signal(number)
    out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert json.loads(out)["left"] == 3 - len(results(bulk.out))
    assert has_gone(bulk.engines[0])
    assert not (bulk.out / "inflight-all").exists()


def test_an_engine_that_cannot_serve_ends_the_run(tmp_path: Path) -> None:
    bulk = Bulk(tmp_path, ["a"])
    command = [sys.executable, "-m", "tests.bulk.engine_double", str(bulk.calls)]
    run = run_of(
        work_of(bulk.manifest, bulk.out, request=Request(model="missing")),
        lambda seen: Supervised(
            lambda request: start_child(command, request), seen.inflight, seen.restarted
        ),
    )
    with pytest.raises(NoServiceError, match="there is no model 'missing'"):
        run.through()
    assert results(bulk.out) == []
    assert len(bulk.engines) == 1
