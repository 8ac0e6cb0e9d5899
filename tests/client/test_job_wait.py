"""`jobs wait`: jobs of one name, files that are there already, answers that fail for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import httpx
import pytest

from client.backend.errors import NoServiceError
from client.job_wait import recordings
from client.remote.address import base_url
from client.remote.job_results import look_pauses
from client.remote.jobs import Jobs
from client.remote.requests import Requests
from client.remote.server import Server
from tests.client.conftest import Ran
from tests.client.job_serving import Held
from tests.client.serving import TEXT
from tests.client.test_jobs import submitted

Run = Callable[..., Ran]


def of_one_name(run: Run, url: str, folder: Path) -> list[str]:
    """The ids of two jobs, whose recordings are `b.wav` in two folders."""
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "b.wav").write_bytes(name.encode())
    paths = (folder / "one" / "b.wav", folder / "two" / "b.wav")
    return [submitted(run, url, path)[0] for path in paths]


def test_jobs_of_one_name_have_files_of_their_own(
    run: Run, url: str, transcriber: Held, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcriber.released.set()
    ids = of_one_name(run, url, tmp_path)
    (here := tmp_path / "here").mkdir()
    monkeypatch.chdir(here)
    assert run("jobs", "wait", *ids, "-f", "txt", "-f", "srt", "--url", url)[0] == 0
    assert {path.name for path in here.iterdir()} == {
        f"b.{job_id}.{name}" for job_id in ids for name in ("txt", "srt")
    }


def test_a_file_of_that_name_is_no_sign_that_a_job_is_done(
    run: Run, url: str, transcriber: Held, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcriber.released.set()
    _, job_id = of_one_name(run, url, tmp_path)
    # A recording of that name is here, and the text of another one: it is newer.
    (here := tmp_path / "here").mkdir()
    (here / "b.wav").write_bytes(b"another")
    (here / "b.txt").write_text("Of another.\n", encoding="utf-8")
    monkeypatch.chdir(here)
    asked = ("jobs", "wait", job_id, "-f", "txt", "--url", url)
    status, out, errors = run(*asked)
    assert (status, out) == (1, "")
    assert f"error: {job_id}: b.txt is there already: --overwrite replaces it\n" in errors
    assert (here / "b.txt").read_text("utf-8") == "Of another.\n"
    assert run(*asked, "--overwrite")[0] == 0
    assert (here / "b.txt").read_text("utf-8").split() == TEXT.split()


def test_a_speed_is_not_told_of_what_was_done_before(
    run: Run, url: str, transcriber: Held, tmp_path: Path
) -> None:
    transcriber.released.set()
    ids = of_one_name(run, url, tmp_path)
    errors = run("jobs", "wait", *ids, "-o", tmp_path / "out", "--url", url)[2]
    assert errors.startswith("2 done in ")
    assert "times as fast" not in errors


def test_an_answer_that_fails_is_not_taken_for_a_job_that_is_gone() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500, json={"error": {"message": "It failed."}})

    async def asked() -> object:
        server = Server(base_url("http://127.0.0.1:8000"), retries=0)
        async with Requests(server, httpx.MockTransport(fail)) as requests:
            return await recordings(Jobs(requests), ["trans_1"])

    with pytest.raises(NoServiceError, match="trans_1: It failed"):
        asyncio.run(asked())


def test_a_job_is_looked_at_ever_less_often() -> None:
    pauses = list(islice(look_pauses(), 20))
    assert pauses[0] == 1.0
    assert pauses == sorted(pauses)
    assert pauses[-1] == 10.0
