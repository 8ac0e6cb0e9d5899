"""The load that a benchmark puts on a server: how it goes on after an answer."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from scripts.shared.http_load import Load
from scripts.shared.manifest import Clip
from tests.speech_clips import jfk

GOOD = httpx.Response(200, json={"text": "ask not"})
BUSY = httpx.Response(503, json={}, headers={"retry-after": "7"})
BUSY_WITHOUT_A_WORD = httpx.Response(503, json={})
BROKEN = httpx.Response(500, json={})


async def endlessly(replies: list[httpx.Response]) -> None:
    """The load without an end on a server that has these replies, and no more."""
    left = iter(replies)
    transport = httpx.MockTransport(lambda _: next(left))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        clip = Clip(jfk().path, None, "en", jfk().seconds)
        await Load(client, "base").endlessly(clip)


def test_endless_load_waits_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    replies = [GOOD, BUSY, BUSY_WITHOUT_A_WORD, BROKEN, GOOD]
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == len(replies):
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(endlessly(replies))
    assert waited == [0, 7, 1, 1, 0]
