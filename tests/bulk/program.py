"""A run in a process of its own, over an engine in another: `program.py MANIFEST OUT CALLS [N]`.

N are the rows of a part; the engine notes its calls in the file CALLS.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from bulk.runners.engine_process import start_child
from bulk.runners.supervised import Supervised
from client.backend.errors import ClientError
from tests.bulk.doubles import run_of, work_of


def main(manifest: str, out: str, calls: str, part_rows: str = "1000") -> int:
    """The exit status: 0, 1 for an error, 130 when interrupted."""
    command = [sys.executable, "-m", "tests.bulk.engine_double", calls]
    work = work_of(Path(manifest), Path(out), part_rows=int(part_rows))
    run = run_of(
        replace(work, part_seconds=0.5),
        lambda seen: Supervised(
            lambda request: start_child(command, request), seen.inflight, seen.restarted
        ),
    )
    try:
        run.through()
    except ClientError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        sys.stdout.write(f"{json.dumps(run.tally.summary())}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
