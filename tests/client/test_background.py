"""`--background` with a server that has room for one job alone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.client.serving import started
from tests.server import SECONDS, listening

_PATH = "/v1/audio/transcriptions"


@pytest.fixture
def full() -> Iterator[str]:
    """The address of a server that takes one recording and has no room for another."""
    taken = list[bytes]()

    async def model(request: Request) -> Response:
        return JSONResponse({"id": "whisper-1", "object": "model"})

    async def described(request: Request) -> Response:
        return JSONResponse({"paths": {f"{_PATH}/{{job_id}}": {}}})

    async def take(request: Request) -> Response:
        body = await request.body()
        if taken:
            error = {"error": {"message": "There is no room."}}
            return JSONResponse(error, 503, {"retry-after": "1"})
        taken.append(body)
        return JSONResponse({"id": "trans_1", "status": "queued"}, 202)

    routes = [
        Route("/v1/models/whisper-1", model),
        Route("/openapi.json", described),
        Route(_PATH, take, methods=["POST"]),
    ]
    with listening(Starlette(routes=routes)) as address:
        yield address


def recordings(folder: Path) -> tuple[Path, ...]:
    """Three of them."""
    found = tuple(folder / f"{name}.mp3" for name in "abc")
    for path in found:
        path.write_bytes(b"sound")
    return found


def test_a_wait_is_told_once_and_ctrl_c_says_what_is_a_job(full: str, tmp_path: Path) -> None:
    asked = recordings(tmp_path)
    process = started(*asked, "--background", "--url", full)
    assert process.stderr is not None
    assert process.stderr.readline().decode() == f"{asked[1]} waits: There is no room.\n"
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, out.decode()) == (130, "trans_1\n")
    assert errors.decode() == (
        "interrupted: 1 of 3 were handed in; leave those out when you run it again "
        "(`whisper-bento jobs` lists them)\n"
    )


def test_a_wait_ends_with_its_time_and_may_be_quiet(full: str, tmp_path: Path) -> None:
    asked = recordings(tmp_path)[:2]
    options = ("--background", "--timeout", "0", "--progress", "none", "--url", full)
    process = started(*asked, *options)
    out, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, out.decode()) == (1, "trans_1\n")
    said = "There is no room. (waited as long as --timeout says)"
    assert errors.decode() == f"error: {asked[1]}: {said}\n"
