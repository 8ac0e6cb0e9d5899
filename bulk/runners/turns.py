"""Turns at an engine: many callers at once, or one alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Callers that share, and callers that are alone, who go first."""

    def __init__(self) -> None:
        self._sharing = self._wanting = 0
        self._one = asyncio.Lock()
        self._idle, self._open = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._open.set()

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """A turn beside others; waits while somebody is alone or wants to be."""
        while self._wanting:
            await self._open.wait()
        self._sharing += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._sharing -= 1
            if not self._sharing:
                self._idle.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """A turn without others; waits until those that share have ended."""
        self._wanting += 1
        self._open.clear()
        try:
            async with self._one:
                await self._idle.wait()
                yield
        finally:
            self._wanting -= 1
            if not self._wanting:
                self._open.set()
