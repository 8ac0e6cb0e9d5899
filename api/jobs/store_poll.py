"""Polling of the job store: a look every few seconds, and at once when there is news."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from api.server_log import logger
from models.errors import JobStoreError


class StorePoll:
    """Calls `look` every `seconds` until it is closed; what a look raises ends that look alone.

    `what` is logged as what waits meanwhile: jobs or webhooks.
    """

    def __init__(self, look: Callable[[], Awaitable[None]], seconds: float, what: str) -> None:
        self._look, self._seconds, self._what = look, seconds, what
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Look now."""
        self._news.set()

    def close(self) -> None:
        """Look no more."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._look()
            except (JobStoreError, OSError) as error:
                told = "%s wait until jobs can be read and written again: %s"
                logger.warning(told, self._what.capitalize(), error)
            except Exception:  # noqa: BLE001 - or all of them would wait for ever
                logger.exception("The runner of %s goes on after a fault", self._what)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._news.wait()
