"""An engine's process that reads texts: `engine_double CALLS FD`; it notes its own id, too."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bulk.engine import EngineFacts
from bulk.runners.engine_child import serve
from client.backend.request import Request
from tests.bulk.doubles import TAG, Reading


def main(calls: Path, descriptor: int) -> None:
    """Serve until the run ends."""
    calls.with_name("engines").open("a").write(f"{os.getpid()}\n")

    @asynccontextmanager
    async def opened() -> AsyncIterator[Reading]:
        yield Reading(calls)

    async def facts(backend: Reading, request: Request) -> EngineFacts:
        return EngineFacts(TAG, 4)

    serve(descriptor, opened, facts)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
