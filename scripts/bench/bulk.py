"""Bulk benchmark: what the driver costs a row, and its memory, over an engine that only waits."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path

from bulk.engine import EngineFacts, RowFile, Transcribed
from bulk.manifest import Manifest
from bulk.parts import done_ids
from bulk.progress import Silent
from bulk.run import Run, Work
from bulk.status import status_of
from client.backend.request import Request
from scripts.shared.command_line import Parser, add_report, positive, run
from scripts.shared.report import table

_SECONDS = 0.001
_IN_FLIGHT = 64
# About what two minutes of speech are in verbose_json.
_SEGMENTS = [
    {"id": n, "start": 5.0 * n, "end": 5.0 * n + 4.5, "text": " what was said in it"}
    for n in range(24)
]


class Waiting:
    """An engine that answers the same after a millisecond."""

    async def start(self, request: Request) -> EngineFacts:
        """As a GPU's: 64 rows at once."""
        return EngineFacts("waiting", _IN_FLIGHT)

    async def transcribe(self, row_file: RowFile) -> Transcribed:
        """The same text."""
        await asyncio.sleep(_SECONDS)
        text = "".join(str(each["text"]) for each in _SEGMENTS)
        members = {"text": text, "language": "en", "duration": 120.0, "segments": _SEGMENTS}
        return Transcribed(members, {})

    async def close(self) -> None:
        """Nothing is held."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; the exit status: 0, 1 for an error, 130 when interrupted."""
    parser = Parser(prog="python -m scripts.bench.bulk", description=__doc__)
    parser.add_argument("--rows", type=positive, default=100_000, metavar="N", help="100000")
    add_report(parser, "bulk.json")
    return run(parser, _measure, arguments)


def _measure(options: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = _manifest(folder, options.rows)
        before = _megabytes()
        began, worked = time.perf_counter(), time.process_time()
        display = StringIO()
        work = Work(Manifest(manifest), folder / "out", Request())
        Run(work, lambda _: Waiting(), lambda tally: Silent(display, tally)).through()
        seconds, cpu = time.perf_counter() - began, time.process_time() - worked
        grown = _megabytes() - before
        report: dict[str, object] = {
            "rows": options.rows,
            "wall_ms_per_row": 1000 * seconds / options.rows,
            "cpu_ms_per_row": 1000 * cpu / options.rows,
            "memory_mb": before,
            "memory_grown_mb": grown,
            "resume_seconds": _timed(lambda: done_ids(folder / "out")),
            "status_seconds": _timed(lambda: status_of(folder / "out")),
        }
    rows = [[name, f"{value:.3f}"] for name, value in report.items() if isinstance(value, float)]
    print(table(rows))
    return report


def _manifest(folder: Path, count: int) -> Path:
    (recording := folder / "a.wav").touch()
    path = folder / "m.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            row = {"uri": str(recording), "id": f"{number:040}", "duration": 120.0 + number % 100}
            file.write(f"{json.dumps(row)}\n")
    return path


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _megabytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
