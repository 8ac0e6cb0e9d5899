"""Single requests to a server: each is an answer, or an error of the client's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import IO, Self, TypedDict, Unpack

import httpx

from client.backend.errors import (
    NoServiceError,
    RecordingError,
    TryAgainError,
    UnreachableError,
)
from client.remote.problems import problem, unreachable
from client.remote.retry_policy import LOOK_SECONDS, RetryPolicy
from client.remote.server import Server

_HINT = ": start a server with scripts/serve, or name another with --url"


class Options(TypedDict, total=False):
    """What a request has beside its address: JSON or a form, headers, time limits of its own."""

    json: object
    data: Mapping[str, str | list[str]]
    files: Mapping[str, tuple[str, IO[bytes]]]
    headers: Mapping[str, str]
    timeout: httpx.Timeout


class Requests:
    """The connections to a server, to be used as a context."""

    def __init__(self, server: Server, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.server = server
        self._http = server.client(transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    def retry_policy(self) -> RetryPolicy:
        """That of a request of one recording."""
        server = self.server
        return RetryPolicy(server.retries, server.timeout, is_awaited=server.is_awaited)

    @asynccontextmanager
    async def answer(
        self, method: str, url: httpx.URL, **options: Unpack[Options]
    ) -> AsyncIterator[httpx.Response]:
        """The answer to a request, whose body has not been read.

        Raises:
            ClientError: it is an error, as `problem` says, or the connection is lost
                (`TryAgainError`).
        """
        request = self._http.build_request(method, url, **options)
        try:
            response = await self._http.send(request, stream=True)
            try:
                if not response.is_success:
                    await response.aread()
                    raise problem(self.server, response)
                yield response
            finally:
                await response.aclose()
        except httpx.RequestError as error:
            raise unreachable(self.server, error) from error

    async def read(self, method: str, url: httpx.URL, **options: Unpack[Options]) -> httpx.Response:
        """The answer to a request, with its body; raises as `answer` does."""
        async with self.answer(method, url, **options) as response:
            await response.aread()
            return response

    async def persistently(
        self,
        method: str,
        url: httpx.URL,
        tell: Callable[[str], None] | None = None,
        **options: Unpack[Options],
    ) -> httpx.Response:
        """The same, asked again where that may help, as often and as long as the server's are.

        `tell` is called with the reason when it is first waited for.

        Raises:
            ClientError: as `problem` says.
        """
        policy = self.retry_policy()
        while True:
            try:
                return await self.read(method, url, **options)
            except TryAgainError as error:
                seconds = policy.pause(error)
                if tell:
                    tell(str(error))
                    tell = None
            await asyncio.sleep(seconds)

    async def patiently(
        self, method: str, url: httpx.URL, tell: Callable[[str], None], **options: Unpack[Options]
    ) -> httpx.Response:
        """The same, waiting for a server that is busy or, with a timeout, not there yet.

        `tell` is called with the reason, once.

        Raises:
            NoServiceError: it did not come in time, or fails.
        """
        policy = RetryPolicy(0, self.server.timeout)
        is_told = False
        while True:
            try:
                return await self.read(method, url, **options)
            except RecordingError as error:
                raise NoServiceError(str(error)) from error
            except TryAgainError as error:
                if self.server.timeout is not None and error.after is None:
                    error.after = LOOK_SECONDS
                seconds = self._pause(policy, error)
                if not is_told:
                    tell(f"waiting: {error}")
                    is_told = True
            await asyncio.sleep(seconds)

    def _pause(self, policy: RetryPolicy, error: TryAgainError) -> float:
        try:
            return policy.pause(error)
        except RecordingError as given_up:
            hint = _HINT if isinstance(error, UnreachableError) else ""
            raise NoServiceError(f"{given_up}{hint}") from error
