"""Several engines as one: each row goes to the one with the fewest for its size."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bulk.engine import Engine, EngineFacts, RowFile, Transcribed
from client.backend.errors import UsageError
from client.backend.request import Request


class Several:
    """Engines of one model, such as one on each GPU."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = engines
        self._running = [0] * len(engines)
        self._sizes = [1] * len(engines)

    async def start(self, request: Request) -> EngineFacts:
        """Start all of them at once; raises as the first one that cannot be started."""
        facts = await asyncio.gather(*(each.start(request) for each in self._engines))
        tags = {each.model_tag for each in facts}
        if len(tags) > 1:
            raise UsageError(f"the engines have different models: {', '.join(sorted(tags))}")
        self._sizes = [each.in_flight for each in facts]
        return EngineFacts(tags.pop(), sum(self._sizes))

    async def transcribe(self, row_file: RowFile) -> Transcribed:
        """The text of a recording, by one of them; raises as that."""
        shares = [running / size for running, size in zip(self._running, self._sizes, strict=True)]
        at = shares.index(min(shares))
        self._running[at] += 1
        try:
            return await self._engines[at].transcribe(row_file)
        finally:
            self._running[at] -= 1

    async def close(self) -> None:
        """Close all of them."""
        await asyncio.gather(*(each.close() for each in self._engines))
