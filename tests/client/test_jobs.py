"""Background jobs: handed in, waited for by another client, listed, cancelled, removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from client.backend.errors import RecordingError
from client.backend.events import Progress
from client.remote.jobs import Job
from tests.client.conftest import Ran
from tests.client.job_serving import Held
from tests.client.serving import BROKEN, TEXT, api, ran, speaking
from tests.client.test_transcribe import FORMATS, answer
from tests.server import free_port, listening

Run = Callable[..., Ran]


def submitted(run: Run, url: str, *arguments: str | Path) -> list[str]:
    """The ids that are printed."""
    status, out, errors = run(*arguments, "--background", "--url", url)
    assert (status, errors) == (0, "")
    return out.splitlines()


def test_id_is_printed_at_once_and_another_client_writes_the_files(
    url: str, transcriber: Held, recording: Path, tmp_path: Path
) -> None:
    # The first client is gone before the job is done.
    status, out, errors = ran(recording, "--background", "--url", url)
    assert (status, errors) == (0, "")
    [job_id] = out.splitlines()
    assert not transcriber.released.is_set()
    transcriber.released.set()
    done = ran("jobs", "wait", job_id, "-f", "all", "-o", tmp_path / "out", "--url", url)
    assert (done[0], done[1]) == (0, "")
    told = {name: answer(url, response_format=name) for name in ("srt", "vtt", "verbose_json")}
    written = {name: (tmp_path / "out" / f"talk.{name}").read_text("utf-8") for name in FORMATS}
    assert (written["srt"], written["vtt"], written["json"]) == (*told.values(),)
    assert len(list((tmp_path / "out").iterdir())) == len(FORMATS)


def test_text_of_a_single_job_goes_to_standard_output(
    run: Run, url: str, transcriber: Held, recording: Path
) -> None:
    transcriber.released.set()
    [job_id] = submitted(run, url, recording)
    assert run("jobs", "wait", job_id, "--url", url) == (0, f"{TEXT}\n", "")


def test_several_jobs_in_lines_of_json(
    run: Run, url: str, transcriber: Held, tmp_path: Path
) -> None:
    transcriber.released.set()
    for name, content in (("a.mp3", b"sound"), ("b.mp3", BROKEN)):
        (tmp_path / name).write_bytes(content)
    asked = (tmp_path / "a.mp3", tmp_path / "b.mp3", tmp_path / "no.mp3")
    status, out, _ = run(*asked, "--background", "--json-lines", "--url", url)
    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert [(each["file"], each["status"]) for each in lines] == [
        (str(asked[0]), "queued"),
        (str(asked[1]), "queued"),
        (str(asked[2]), "failed"),
    ]
    ids = [each["job"] for each in lines[:2]]
    status, out, errors = run("jobs", "wait", *ids, "--json-lines", "--url", url)
    told = {each["job"]: each for each in map(json.loads, out.splitlines())}
    assert status == 1
    assert [told[each]["file"] for each in ids] == ["a.mp3", "b.mp3"]
    # It was worked on before it was waited for.
    assert "rtfx" not in told[ids[0]]
    assert told[ids[0]]["text"] == TEXT
    assert told[ids[1]]["error"] == "The file is not audio of a known format."
    assert f"error: {ids[1]}: The file is not audio of a known format.\n" in errors


def test_words_come_with_the_job(
    run: Run, url: str, transcriber: Held, recording: Path, tmp_path: Path
) -> None:
    transcriber.released.set()
    [plain] = submitted(run, url, recording)
    [timed] = submitted(run, url, recording, "--max_line_width", "12")
    limit = ("--max_line_width", "12", "-f", "srt", "-o", tmp_path / "out", "--url", url)
    assert run("jobs", "wait", timed, *limit)[0] == 0
    written = (tmp_path / "out" / "talk.srt").read_text("utf-8")
    assert written == answer(url, response_format="srt", max_line_width="12")
    status, _, errors = run("jobs", "wait", plain, *limit, "--overwrite")
    assert status == 1
    assert f"error: {plain}: its words were not timed: hand it in with --background " in errors


def test_translation_is_a_job_as_well(
    run: Run, url: str, transcriber: Held, recording: Path
) -> None:
    transcriber.released.set()
    [job_id] = submitted(run, url, "translate", recording)
    assert run("jobs", "wait", job_id, "--url", url)[:2] == (0, f"{TEXT}\n")
    assert [asked.task for _, asked in transcriber.calls] == ["translate"]


def test_jobs_are_listed_shown_cancelled_and_removed(run: Run, url: str, recording: Path) -> None:
    first, second = (submitted(run, url, recording)[0] for _ in range(2))
    listed = run("jobs", "--url", url)[1].splitlines()
    assert [line.split()[0] for line in listed] == [second, first]
    assert all(line.endswith("  talk.mp3") for line in listed)
    assert len(run("jobs", "list", "--limit", "1", "--url", url)[1].splitlines()) == 1
    assert run("jobs", "cancel", first, "--url", url) == (0, "", "")
    shown = run("jobs", "show", first, second, "--url", url)[1].splitlines()
    assert f"id:            {first}" in shown
    assert "status:        cancelled" in shown
    assert "file:          talk.mp3" in shown
    status, _, errors = run("jobs", "wait", first, "--url", url)
    assert (status, errors) == (1, f"error: {first}: the job is cancelled\n")
    cancelled = run("jobs", "list", "--status", "cancelled", "--json-lines", "--url", url)[1]
    assert [each["id"] for each in map(json.loads, cancelled.splitlines())] == [first]
    status, _, errors = run("jobs", "cancel", first, "--url", url)
    assert (status, "has ended: it is cancelled." in errors) == (1, True)
    assert run("jobs", "rm", first, second, "--url", url) == (0, "", "")
    assert run("jobs", "--url", url) == (0, "", "")


@pytest.mark.parametrize("action", ["show", "wait", "cancel", "rm"])
def test_a_job_that_is_not_there_fails_alone(
    run: Run, url: str, transcriber: Held, recording: Path, action: str, tmp_path: Path
) -> None:
    transcriber.released.set()
    [job_id] = submitted(run, url, recording)
    folder = ("-o", tmp_path / "out") if action == "wait" else ()
    asked = ("gone", job_id)
    if action == "cancel":
        run("jobs", "wait", job_id, "--url", url)
    status, _, errors = run("jobs", action, *asked, *folder, "--url", url)
    assert status == 1
    assert "error: gone: " in errors
    if action == "wait":
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["talk.txt"]


@pytest.mark.parametrize("action", ["show", "wait", "cancel", "rm"])
@pytest.mark.parametrize("job_id", ["", ".", "..", "no/../such"])
def test_what_is_no_id_is_wrong_usage(run: Run, action: str, job_id: str) -> None:
    # No server is asked.
    status, out, errors = run("jobs", action, "gone", job_id)
    assert (status, out, errors) == (2, "", f"error: {job_id!r} is no id of a job\n")


@pytest.mark.parametrize(
    "options",
    [
        *(("-o", "out"), ("-f", "srt"), ("--overwrite",), ("--archive", "done.txt")),
        ("--local",),
    ],
    ids=" ".join,
)
def test_what_is_said_when_a_result_is_fetched(
    run: Run, recording: Path, options: tuple[str, ...]
) -> None:
    status, out, errors = run(recording, "--background", *options)
    assert (status, out) == (2, "")
    assert errors.startswith("error: --background prints the ids of jobs and writes nothing: ")


def test_an_option_that_the_server_refuses_ends_it(run: Run, url: str, recording: Path) -> None:
    status, out, errors = run(recording, "--language", "klingon", "--background", "--url", url)
    assert (status, out) == (2, "")
    assert "klingon" in errors


def test_servers_without_jobs(run: Run, recording: Path) -> None:
    with api(speaking()) as address:
        status, _, errors = run(recording, "--background", "--url", address)
    assert (status, "WHISPER_JOBS is off" in errors) == (2, True)

    async def model(request: Request) -> Response:
        return JSONResponse({"id": "whisper-1", "object": "model"})

    with listening(Starlette(routes=[Route("/v1/models/whisper-1", model)])) as address:
        status, _, errors = run(recording, "--background", "--url", address)
        assert (status, errors) == (3, f"error: {address}/v1 has no background jobs\n")
        status, _, errors = run("jobs", "list", "--url", address)
        assert (status, "has no such endpoint" in errors) == (3, True)


@pytest.mark.parametrize("action", [["list"], ["wait", "x"], ["rm", "x"]], ids=" ".join)
def test_no_server(run: Run, action: list[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    status, out, errors = run("jobs", *action, "--url", url)
    assert (status, out) == (3, "")
    assert errors.startswith(f"error: no answer from {url}/v1 (")


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"file": "talk.mp3"}, "talk.mp3"),
        ({"file": "../../etc/passwd"}, "passwd"),
        ({"file": "C:\\talks\\a.mp3"}, "a.mp3"),
        ({"file": ".."}, "id"),
        ({"file": "a\0b"}, "id"),
        ({"episode": "42"}, "id"),
        (None, "id"),
    ],
)
def test_name_of_a_job_is_no_path(told: object, name: str) -> None:
    assert Job.of({"id": "id", "metadata": told}).name == name


def test_progress_of_a_job() -> None:
    members = {"id": "id", "progress": 25, "audio_seconds": 60.0, "position": 2}
    assert Job.of(members).progress == Progress(2, 15.0, 60.0, None)
    with pytest.raises(RecordingError, match="no job"):
        Job.of({"text": "an answer at once"})
