"""Runs over a folder that has results: of another manifest, and as a retry."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulk.engine import EngineFacts
from bulk.status import status_of
from client.backend.errors import NoServiceError, UsageError
from client.backend.request import Request
from tests.bulk.doubles import (
    BROKEN,
    FAILING,
    FakeEngine,
    by_content,
    manifest_of,
    recordings,
    run_of,
    tally_of,
    work_of,
)


def test_a_manifest_elsewhere_is_refused_as_its_ids_may_be_of_others(tmp_path: Path) -> None:
    out, manifests = tmp_path / "out", []
    for day in ("day1", "day2"):
        recordings(tmp_path / day, [day])
        manifests.append(manifest_of(tmp_path / day / "m.jsonl", ["00000.wav"]))
    run_of(work_of(manifests[0], out), FakeEngine()).through()
    with pytest.raises(UsageError, match=r"manifest: .*day1.*day2"):
        run_of(work_of(manifests[1], out), FakeEngine()).through()
    run_of(work_of(manifests[1], out, is_forced=True), FakeEngine()).through()
    assert status_of(out)["manifest"] == str(manifests[1])


def test_a_retry_takes_nothing_out_before_it_has_an_engine(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", ["a", FAILING, BROKEN])
    manifest, out = manifest_of(tmp_path / "m.jsonl", paths), tmp_path / "out"
    run_of(work_of(manifest, out), FakeEngine()).through()

    class Absent(FakeEngine):
        async def start(self, request: Request) -> EngineFacts:
            raise NoServiceError("it is not there")

    retry = work_of(manifest, out, is_retry=True)
    with pytest.raises(NoServiceError):
        run_of(retry, Absent()).through()
    manifest_of(manifest, [paths[0], paths[2]])
    run_of(retry, FakeEngine()).through()
    # What is not in the manifest any more stays.
    assert status_of(out)["retryable"] == 1
    recordings(tmp_path / "in", ["a", "better now", BROKEN, "new"])
    manifest_of(manifest, [*paths, tmp_path / "in" / "00003.wav"])
    assert tally_of(run_of(retry, FakeEngine())).ended == 2
    found = by_content(out)
    assert (found["00001.wav"]["text"], found["00003.wav"]["text"]) == ("better now", "new")
    assert found["00002.wav"]["status"] == "failed"
