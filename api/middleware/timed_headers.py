"""Header timeout: the time that a client may take to send the headers of a request."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from api.middleware.broken_http import BrokenHttp

HEADER_SECONDS = 30.0


class TimedHeaders(BrokenHttp):
    """uvicorn's HTTP, which closes connections whose headers do not come whole in `seconds`.

    uvicorn times a connection only between requests, not while a request's headers come.
    """

    seconds: ClassVar[float] = HEADER_SECONDS
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._time()

    def data_received(self, data: bytes) -> None:
        """Take bytes; a part of a request's headers is waited for."""
        super().data_received(data)
        self._time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        super().connection_lost(exc)
        self._stop_timing()

    def _time(self) -> None:
        is_web_socket = self.transport.get_protocol() is not self
        if is_web_socket or (self.cycle is not None and not self.cycle.response_complete):
            self._stop_timing()
        elif self._due is None:
            self._due = self.loop.call_later(self.seconds, self.transport.close)

    def _stop_timing(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
