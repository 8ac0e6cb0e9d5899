"""Client of OpenAI's realtime transcription: sound to a server, its events to who shows them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)

from cli.realtime.errors import LiveError

# The last turn's text comes within that many seconds, or not at all.
_LAST_TURN_SECONDS = 60.0
_LAST = "last"
_EMPTY = "input_audio_buffer_commit_empty"
Event = dict[str, Any]


@dataclass(frozen=True)
class Connection:
    """Where to, with which key, and the session that is asked for there."""

    url: httpx.URL
    key: str | None
    model: str
    session: Event

    @property
    def address(self) -> str:
        """The socket's URL."""
        scheme = "wss" if self.url.scheme == "https" else "ws"
        path = f"{self.url.path.rstrip('/')}/realtime"
        query = {"intent": "transcription", "model": self.model}
        return str(self.url.copy_with(scheme=scheme, path=path, params=query))

    @property
    def headers(self) -> dict[str, str]:
        """The key's header."""
        return {"authorization": f"Bearer {self.key}"} if self.key else {}


async def transcribe_live(
    connection: Connection,
    sound: AsyncIterator[bytes],
    stop: asyncio.Event,
    show: Callable[[Event], None],
) -> None:
    """Send the sound until it ends or `stop` is set, and `show` all events until the last text.

    Raises:
        LiveError: the server refuses, or the connection is lost.
    """
    try:
        async with connect(
            connection.address,
            additional_headers=connection.headers,
            max_size=None,
            user_agent_header="whisper-bento",
        ) as socket:
            await _converse(socket, connection.session, sound, stop, show)
    except InvalidStatus as error:
        raise LiveError(_refusal(connection, error)) from None
    except ConnectionClosed as error:
        raise LiveError(f"{connection.url} has ended the session: {_reason(error)}") from None
    except (InvalidHandshake, WebSocketException, OSError) as error:
        raise LiveError(f"{connection.url} cannot be reached: {error}") from None


async def _converse(
    socket: ClientConnection,
    session: Event,
    sound: AsyncIterator[bytes],
    stop: asyncio.Event,
    show: Callable[[Event], None],
) -> None:
    await _send(socket, "session.update", session=session)
    hearing = asyncio.create_task(_hear(socket, show))
    speaking = asyncio.create_task(_speak(socket, sound, stop))
    try:
        await asyncio.wait([hearing, speaking], return_when=asyncio.FIRST_COMPLETED)
        if hearing.done():
            hearing.result()
        speaking.result()
        async with asyncio.timeout(_LAST_TURN_SECONDS):
            await hearing
    except TimeoutError:
        raise LiveError(f"the last text has not come in {_LAST_TURN_SECONDS:g} s") from None
    finally:
        for task in (hearing, speaking):
            task.cancel()
        await asyncio.gather(hearing, speaking, return_exceptions=True)


async def _speak(
    socket: ClientConnection, sound: AsyncIterator[bytes], stop: asyncio.Event
) -> None:
    """Send the sound, and end the turn that is open then.

    The buffer is cleared behind it: the answer to that says that the commit has been answered.
    """
    stopped = asyncio.create_task(stop.wait())
    try:
        while (piece := await _next(sound, stopped)) is not None:
            audio = base64.b64encode(piece).decode()
            await _send(socket, "input_audio_buffer.append", audio=audio)
    finally:
        stopped.cancel()
    await _send(socket, "input_audio_buffer.commit", event_id=_LAST)
    await _send(socket, "input_audio_buffer.clear")


async def _next(sound: AsyncIterator[bytes], stopped: asyncio.Task[bool]) -> bytes | None:
    """The next piece of sound; None at its end, or when it is to stop."""

    async def piece() -> bytes | None:
        return await anext(sound, None)

    coming = asyncio.create_task(piece())
    await asyncio.wait([coming, stopped], return_when=asyncio.FIRST_COMPLETED)
    if stopped.done():
        coming.cancel()
        with suppress(asyncio.CancelledError):
            await coming
        return None
    return coming.result()


async def _hear(socket: ClientConnection, show: Callable[[Event], None]) -> None:
    """Show events, until all is told that was committed before the buffer was cleared.

    Raises:
        LiveError: the server reports an error.
    """
    committed, is_over = set[str](), False
    async for message in socket:
        event = json.loads(message)
        show(event)
        match event["type"]:
            case "input_audio_buffer.committed":
                committed.add(event["item_id"])
            case "input_audio_buffer.cleared":
                is_over = True
            case "conversation.item.input_audio_transcription.completed":
                committed.discard(event["item_id"])
            case "conversation.item.input_audio_transcription.failed":
                raise LiveError(event["error"]["message"])
            case "error":
                _check(event["error"])
        if is_over and not committed:
            return
    raise LiveError("the server has ended the session")


def _check(error: Event) -> None:
    """Pass over the one error that says nothing: that nobody spoke at the end.

    Raises:
        LiveError: it is another.
    """
    if error.get("event_id") != _LAST or error.get("code") != _EMPTY:
        raise LiveError(error["message"])


async def _send(socket: ClientConnection, kind: str, **fields: object) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


def _refusal(connection: Connection, error: InvalidStatus) -> str:
    """Why the server refuses, in its own words if they are OpenAI's."""
    response = error.response
    try:
        reason = json.loads(response.body)["error"]["message"]
    except (ValueError, LookupError, TypeError):
        reason = response.reason_phrase
    return f"{connection.url} refuses ({response.status_code}): {reason}"


def _reason(error: ConnectionClosed) -> str:
    close = error.rcvd or error.sent
    return f"{close.code} {close.reason}".strip() if close else "the connection is lost"
