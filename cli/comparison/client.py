"""Requests to a server: to its address alone, within a time, and with an end to what it sends."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from cli.comparison.address import ComparisonError, Server
from cli.comparison.answer import Answer, one_line
from cli.comparison.calls import Call, Upload, letter, silence

MAX_ANSWER_BYTES = 64 * 1024 * 1024
BUSY = (429, 503)
TRIES = 4
LONGEST_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Asking:
    """What both servers are asked with: the recording, its language, the time an answer may take.

    `tell` is called with what a user who waits should know.
    """

    recording: Path
    language: str | None
    seconds: float
    tell: Callable[[str], None]


@contextlib.asynccontextmanager
async def connected(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """A client of this server.

    It follows no redirect: the recording and the key go to the address that was given. Proxies of
    the environment are used for https alone, where they see no more than the name of the host.
    """
    client = httpx.AsyncClient(
        headers={
            **server.headers,
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": "whisper-bento",
        },
        timeout=httpx.Timeout(None),  # `asking.seconds` are for all of an answer
        follow_redirects=False,
        trust_env=server.url.scheme == "https",
    )
    async with client:
        yield client


async def answer(client: httpx.AsyncClient, server: Server, call: Call, asking: Asking) -> Answer:
    """The server's answer; one that is busy is asked again when it says.

    Raises:
        ComparisonError: there is no answer, or it is busy for longer.
    """
    for _ in range(TRIES - 1):
        got = await _once(client, server, call, asking)
        wait = _wait(got)
        if wait is None:
            break
        asking.tell(f"{server} is busy ({got.status}): {call.name} is sent again in {wait:.0f} s")
        await asyncio.sleep(wait)
    else:
        got = await _once(client, server, call, asking)
    if got.status in BUSY:
        raise ComparisonError(f"{server} is busy: {got.status} {hidden(got.message, server)}")
    return got


def hidden(text: str, server: Server) -> str:
    """The text without the server's key."""
    return text.replace(server.key, "***") if server.key else text


async def _once(client: httpx.AsyncClient, server: Server, call: Call, asking: Asking) -> Answer:
    try:
        async with asyncio.timeout(asking.seconds):
            return await _sent(client, server, call, asking)
    except TimeoutError:
        raise ComparisonError(
            f"{server} has not answered {call.name} within {asking.seconds:g} s (--timeout)"
        ) from None
    except httpx.ConnectError as error:
        reason = one_line(str(error), 200)
        raise ComparisonError(f"{server} cannot be reached: {reason}") from None
    except httpx.RequestError as error:
        reason = hidden(one_line(str(error) or type(error).__name__, 200), server)
        raise ComparisonError(f"{server} gave no answer to {call.name}: {reason}") from None


async def _sent(client: httpx.AsyncClient, server: Server, call: Call, asking: Asking) -> Answer:
    url = server.endpoint(call.endpoint(server.model))
    if call.upload is Upload.NOTHING:
        return await _received(client, client.build_request("GET", url), server)
    suffix = asking.recording.suffix if call.upload is Upload.RECORDING else ".wav"
    with _file(call.upload, asking.recording) as file:
        # The recording's own name is nobody's business; hosted services go by its ending.
        request = client.build_request(
            "POST",
            url,
            data=call.form(server.model, asking.language),
            files={"file": (f"recording{suffix}", file, "application/octet-stream")},
        )
        return await _received(client, request, server)


def _file(upload: Upload, recording: Path) -> BinaryIO:
    if upload is Upload.RECORDING:
        return recording.open("rb")
    return io.BytesIO(silence() if upload is Upload.SILENCE else letter())


async def _received(client: httpx.AsyncClient, request: httpx.Request, server: Server) -> Answer:
    got = await client.send(request, stream=True)
    try:
        body = bytearray()
        async for part in got.aiter_bytes():
            body += part
            if len(body) > MAX_ANSWER_BYTES:
                raise ComparisonError(f"{server} sends an answer without an end")
    finally:
        await got.aclose()
    return Answer(got.status_code, got.headers, bytes(body))


def _wait(got: Answer) -> float | None:
    """The seconds until a busy server may be asked again; None where it is not to be."""
    if got.status not in BUSY:
        return None
    try:
        seconds = float(got.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(seconds, 0.1) if seconds <= LONGEST_WAIT_SECONDS else None
