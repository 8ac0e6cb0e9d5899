"""Tests of the end of serving: what finishes, what is refused, what is cut off."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.draining import Drain, Draining
from api.telemetry.observe import Observe, Observed


class Request:
    """A request to an app that is draining, under way."""

    def __init__(self, app: ASGIApp, drain: Drain, path: str = "/x") -> None:
        self.sent: list[Message] = []
        self.observed: list[Observed] = []
        scope = {"type": "http", "method": "GET", "path": path, "headers": []}
        watched = Observe(Draining(app, drain), [self.observed.append])
        self.task = asyncio.create_task(watched(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        """The status of its answer."""
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The headers of its answer."""
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        """The body of its answer."""
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def is_whole(self) -> bool:
        """Whether its answer has come to its end."""
        return not self.sent[-1].get("more_body", False)


async def quick(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that answers at once."""
    await PlainTextResponse("done")(scope, receive, send)


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that never answers."""
    await asyncio.Event().wait()


def unending(media_type: str) -> ASGIApp:
    """An app that begins an answer of this type and goes no further."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", media_type.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        await asyncio.Event().wait()

    return app


def code_of(body: bytes) -> str:
    """The code in an error's envelope."""
    return str(json.loads(body)["error"]["code"])


def test_new_work_is_refused_and_told_when_to_come_again() -> None:
    async def check() -> None:
        drain = Drain(60)
        drain.begin()
        request = Request(endless, drain)
        await request.task

        assert (request.status, code_of(request.body)) == (503, "shutting_down")
        assert (request.headers[b"connection"], request.headers[b"retry-after"]) == (b"close", b"5")

    asyncio.run(check())


@pytest.mark.parametrize(("path", "status"), [("/livez", 200), ("/metrics", 200), ("/readyz", 503)])
def test_a_server_that_ends_is_alive_and_measured_but_not_ready(path: str, status: int) -> None:
    async def check() -> None:
        drain = Drain(60)
        drain.begin()
        request = Request(quick, drain, path)
        await request.task

        assert request.status == status

    asyncio.run(check())


def test_running_work_finishes_and_closes_its_connection() -> None:
    async def check() -> None:
        go = asyncio.Event()

        async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
            await go.wait()
            await quick(scope, receive, send)

        drain = Drain(60)
        request = Request(waiting, drain)
        await asyncio.sleep(0)
        drain.begin()
        done = asyncio.create_task(drain.done())
        await asyncio.sleep(0.05)
        assert not done.done()
        go.set()
        await done

        assert (request.status, request.body) == (200, b"done")
        assert request.headers[b"connection"] == b"close"

    asyncio.run(check())


def test_an_idle_server_is_done_at_once() -> None:
    async def check() -> None:
        drain = Drain(60)
        await Request(quick, drain).task
        drain.begin()
        await asyncio.wait_for(drain.done(), 120)

    asyncio.run(check())


def test_work_past_its_time_is_cut_off_with_an_answer() -> None:
    async def check() -> None:
        drain = Drain(0.05)
        request = Request(endless, drain)
        await asyncio.sleep(0)
        drain.begin()
        drain.begin()
        await drain.done()
        await request.task

        assert (request.status, code_of(request.body)) == (503, "shutting_down")
        assert request.is_whole

    asyncio.run(check())


def test_a_stream_past_its_time_ends_with_an_error_event() -> None:
    async def check() -> None:
        drain = Drain(0.05)
        request = Request(unending("text/event-stream; charset=utf-8"), drain)
        await asyncio.sleep(0)
        drain.begin()
        await request.task

        first, last = request.body.removesuffix(b"\n\n").split(b"\n\n")
        assert first == b"data: 1"
        assert code_of(last.removeprefix(b"data: ")) == "shutting_down"
        assert request.is_whole
        assert [(each.status, each.outcome) for each in request.observed] == [(503, "refused")]

    asyncio.run(check())


def test_another_answer_past_its_time_breaks_off() -> None:
    async def check() -> None:
        drain = Drain(0.05)
        request = Request(unending("text/plain"), drain)
        await asyncio.sleep(0)
        drain.begin()
        await request.task

        assert request.body == b"data: 1\n\n"
        assert not request.is_whole

    asyncio.run(check())


def test_work_that_does_not_stop_does_not_hold_the_end_up() -> None:
    async def check() -> None:
        free = asyncio.Event()

        async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
            while not free.is_set():
                try:
                    await free.wait()
                except asyncio.CancelledError:
                    continue

        drain = Drain(0)
        request = Request(stubborn, drain)
        await asyncio.sleep(0)
        drain.begin()
        await asyncio.wait_for(drain.done(), 120)
        assert not request.task.done()
        free.set()
        await request.task

    asyncio.run(check())


def test_time_outs_of_others_are_left_alone() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError("another")

    async def check() -> None:
        with pytest.raises(TimeoutError, match="another"):
            await Request(failing, Drain(60)).task

    asyncio.run(check())
