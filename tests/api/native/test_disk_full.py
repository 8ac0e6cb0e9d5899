"""Where BentoML cannot keep an upload the answer says so; other faults stay what they are."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from api.native.disk_full import DiskFull
from api.request_context import context_of


def failing(*, reached: bool, status: int = 500) -> DiskFull:
    """BentoML's answer to an exception, before or after its endpoint was reached."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        context_of(scope).native_reached = reached
        await JSONResponse({"error": "unexpected"}, status)(scope, receive, send)

    return DiskFull(app)


def test_what_could_not_be_read_is_to_be_sent_again() -> None:
    answer = TestClient(failing(reached=False)).post("/transcribe")

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "no_room"
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_other_faults_are_passed_on() -> None:
    for app, status in ((failing(reached=True), 500), (failing(reached=False, status=404), 404)):
        answer = TestClient(app).post("/transcribe")

        assert (answer.status_code, answer.json()) == (status, {"error": "unexpected"})
