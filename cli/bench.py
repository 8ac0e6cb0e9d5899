"""The `bench` command: benchmarks of `scripts/bench`, which a checkout has and a bento has not."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.commands import Command, become, dispatch

ROOT = Path(__file__).parent.parent


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Become the benchmark that the first argument names."""
    commands = {
        "offline": Command(
            "speed, accuracy and memory over recordings, alone or against other Whispers",
            lambda options: _run("offline", options, root),
        ),
        "server": Command(
            "latency and throughput of a running server under load",
            lambda options: _run("server", options, root),
        ),
        "live": Command(
            "speakers in real time: how late words and final texts come, and how right",
            lambda options: _run("live", options, root),
        ),
    }
    return dispatch("whisper-bento bench", "Measure speed.", commands, arguments)


def _run(name: str, options: Sequence[str], root: Path) -> int:
    if not (root / "scripts" / "bench").is_dir():
        print("error: only a checkout has benchmarks, in scripts/bench", file=sys.stderr)
        return 1
    # Not by changing the folder: paths among the options are the caller's.
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    return become(f"scripts.bench.{name}", options, {**os.environ, "PYTHONPATH": path})
