"""Changes of the store that must not be lost, however long they have to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from api.server_log import logger
from models.errors import JobStoreError

T = TypeVar("T")


async def insisting(change: Callable[[], T], seconds: float, what: str) -> T:
    """Change the store in a thread, after so many seconds again where that fails.

    `what` is logged as what cannot be written yet.
    """
    while True:
        try:
            return await asyncio.to_thread(change)
        except JobStoreError as error:
            logger.warning("%s cannot be written yet: %s", what, error)
            await asyncio.sleep(seconds)
