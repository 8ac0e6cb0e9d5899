"""The job load test against a small server on 127.0.0.1, and its bars against answers made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from scripts.load_tests import job_load
from scripts.load_tests.job_phases import JobPhase, judge
from scripts.shared.http_load import PATH
from scripts.shared.manifest import Clip
from scripts.shared.replies import Answer
from tests.server import listening

SHORT = Clip(Path("short"), None, "en", 10.0)


class JobServer:
    """Answers at once; a job is a percent further each time that it is read."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.progress: dict[str, int] = {}
        self.made = 0

    async def post(self, request: Request) -> Response:
        if (await request.form()).get("background") != "true":
            return JSONResponse({"text": "a text"})
        if self.refuses:
            return JSONResponse({"error": {"message": "jobs are off"}}, 400)
        self.made += 1
        self.progress[f"job {self.made}"] = 0
        return JSONResponse({"id": f"job {self.made}"}, 202)

    async def list(self, request: Request) -> Response:
        ids = list(self.progress)
        after = request.query_params.get("after")
        begin = ids.index(after) + 1 if after else 0
        page = ids[begin : begin + 2]
        for name in page:
            self.progress[name] += 1
        jobs = [
            {"id": name, "status": "in_progress", "progress": self.progress[name]} for name in page
        ]
        more = begin + 2 < len(ids)
        return JSONResponse({"data": jobs, "has_more": more, "last_id": page[-1] if page else None})

    async def delete(self, request: Request) -> Response:
        del self.progress[request.path_params["name"]]
        return JSONResponse({})

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(PATH, self.post, methods=["POST"]),
                Route(PATH, self.list),
                Route(f"{PATH}/{{name}}", self.delete, methods=["DELETE"]),
            ]
        )


def loaded(server: JobServer, folder: Path) -> tuple[int, dict[str, Any]]:
    file = folder / "job-load.json"
    short = ["--jobs", "5", "--job-seconds", "20", "--phase-seconds", "1", "--limit", "3"]
    with listening(server.app) as url:
        status = job_load.main(["--url", url, "--json", str(file), *short])
    return status, json.loads(file.read_text()) if file.exists() else {}


def test_jobs_of_all_pages_are_read_and_then_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_load, "WARM_UP", 0.0)
    server = JobServer()
    _, report = loaded(server, tmp_path)
    assert [bar["is_met"] for bar in report["bars"][1:]] == [True, True]
    assert report["phases"]["jobs alone"]["audio s of jobs per s"] > 0
    assert report["phases"]["beside 5 jobs"]["clips"] > 0
    assert server.made == 5
    assert server.progress == {}


def test_refused_job_is_an_error_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert loaded(JobServer(refuses=True), tmp_path)[0] == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert "jobs are off" in errors[0]


def phase(job_rate: float, *seconds: float, status: str = "200") -> JobPhase:
    answers = [Answer(SHORT, status, each, 5.0) for each in seconds]
    return JobPhase("of the tests", answers, job_rate, 10.0)


ALONE, ONLY = phase(0.0, 1.0, 1.0), phase(8.0)


def met(both: JobPhase) -> list[bool]:
    return [bar.is_met for bar in judge(ALONE, ONLY, both)]


def test_bars_of_jobs() -> None:
    assert met(phase(1.0, 1.5, 1.5)) == [True] * 3
    assert met(phase(1.0, 1.5, 1.6)) == [False, True, True]
    assert met(phase(0.9, 1.5)) == [True, False, True]
    assert met(phase(1.0, 1.5, status="503")) == [False, True, False]
