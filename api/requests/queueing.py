"""A request's place in the queue, and the headers that tell of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.audio.container.length import estimated_seconds
from models.capacity.admission import Admission
from models.capacity.fair_queue import QueueEstimate, Ticket


class QueueHeaders:
    """Middleware: `x-queue-position` and `x-queue-seconds`, of when the request came."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; the headers go out with the start of the response."""
        state = scope.setdefault("state", {})

        async def telling_send(message: Message) -> None:
            estimate: QueueEstimate | None = state.get("estimate")
            if estimate and message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-queue-position"] = str(estimate.position)
                headers["x-queue-seconds"] = str(math.ceil(estimate.seconds))
            await send(message)

        await self.app(scope, receive, telling_send)


@contextmanager
def queued(
    admission: Admission, request: Request, file: BinaryIO, maximum: float = math.inf
) -> Iterator[Ticket]:
    """The place of a request with this file, of which at most `most` seconds are heard.

    Raises:
        OverloadedError: the queue is full.
    """
    seconds = min(estimated_seconds(file), maximum)
    key = getattr(request.state, "key_name", None) or ""
    request.state.estimate = admission.estimate(seconds, key)
    with admission.place(seconds, key) as place:
        yield place
