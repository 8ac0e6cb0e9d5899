"""Runs that end early: another one that goes on, signals, an engine that is gone, a bad folder."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bulk.engine import EngineFacts, RowFile, Transcribed
from bulk.errors import BusyError, OutputError
from client.backend.errors import NoServiceError
from client.backend.request import Request
from tests.bulk.doubles import (
    GATED,
    FakeEngine,
    manifest_of,
    recordings,
    results,
    run_of,
    tally_of,
    work_of,
)


def test_two_runs_of_a_worker_are_one_too_many(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path / "m.jsonl", recordings(tmp_path / "in", ["a"]))
    second = run_of(work_of(manifest, tmp_path / "out"), FakeEngine())

    class Meanwhile(FakeEngine):
        async def start(self, request: Request) -> EngineFacts:
            with pytest.raises(BusyError, match="a run of worker 'all' is going on already"):
                second.through()
            return await super().start(request)

    assert tally_of(run_of(work_of(manifest, tmp_path / "out"), Meanwhile())).ended == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_publishes_what_it_has(tmp_path: Path, number: signal.Signals) -> None:
    paths = recordings(tmp_path / "in", ["a", "b", GATED])
    manifest, out = manifest_of(tmp_path / "m.jsonl", paths), tmp_path / "out"

    class Interrupting(FakeEngine):
        async def _said(self, row_file: RowFile) -> Transcribed:
            if row_file.path == paths[2]:
                self._send_when_alone()
            return await super()._said(row_file)

        def _send_when_alone(self) -> None:
            """When the others have a result: two turns of the loop after they have ended."""
            loop = asyncio.get_running_loop()
            if run.tally.ended < 2:
                loop.call_soon(self._send_when_alone)
            else:
                os.kill(os.getpid(), number)

    run = run_of(work_of(manifest, out), Interrupting())
    with pytest.raises(KeyboardInterrupt):
        run.through()
    assert sorted(each["text"] for each in results(out)) == ["a", "b"]
    assert {path.name for path in out.iterdir() if not path.name.startswith(".")} == {
        *("part-all-000001.jsonl", "run.json")
    }
    recordings(tmp_path / "in", ["a", "b", "c"])
    assert tally_of(run_of(work_of(manifest, out), FakeEngine())).ended == 1


def test_no_engine_any_more_leaves_its_rows_undone(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", ["a", "b", "last"])
    manifest, out = manifest_of(tmp_path / "m.jsonl", paths), tmp_path / "out"

    class Ending(FakeEngine):
        async def _said(self, row_file: RowFile) -> Transcribed:
            if row_file.path == paths[2]:
                raise NoServiceError("it is gone")
            return await super()._said(row_file)

    run = run_of(work_of(manifest, out), Ending(in_flight=1))
    with pytest.raises(NoServiceError, match="it is gone"):
        run.through()
    assert sorted(each["text"] for each in results(out)) == ["a", "b"]
    assert run.tally.ended == 2


def test_an_output_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path / "m.jsonl", recordings(tmp_path / "in", ["a"]))
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match="file"):
        run_of(work_of(manifest, tmp_path / "file" / "out"), FakeEngine()).through()
