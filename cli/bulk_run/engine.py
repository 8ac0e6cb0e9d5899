"""The engine of the local runner, in a process of its own: `cli.bulk_run.engine IN_FLIGHT FD`.

It is the backend of `--local`, and answers the rows of a run over the socket that it is given.
"""

from __future__ import annotations

import sys
from functools import partial

from bulk.engine import EngineFacts
from bulk.runners.engine_child import serve
from cli.local.local import Local
from cli.local.start import open_local
from client.backend.request import Request

# Rows at once for each slot: while some are read or end, others fill the batch.
ROWS_A_SLOT = 2


def main(in_flight: int, descriptor: int) -> None:
    """Serve rows until the run ends; `in_flight` 0: twice the slots."""
    # A row is tried again by the run, which counts its attempts.
    serve(descriptor, partial(open_local, _tell, retries=0), partial(_facts, in_flight))


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def _facts(in_flight: int, backend: Local, request: Request) -> EngineFacts:
    tag, slots = await backend.describe(request.model)
    return EngineFacts(tag, in_flight or ROWS_A_SLOT * slots)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
