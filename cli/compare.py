"""The `compare` command: one recording to two servers of OpenAI's API, and what differs."""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.commands import Parser

SAME, DIFFERENT, FAILED = 0, 1, 2
HERE = "http://localhost:8000"


def main(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    """Compare; returns the exit status: 0 no differences, 1 differences, 2 could not compare."""
    given = parser().parse_args(arguments)
    # httpx is imported from here on only.
    from cli.comparison.address import ComparisonError
    from cli.comparison.plan import plan_of
    from cli.comparison.run import run

    _print_anything()
    try:
        plan = plan_of(given, os.environ if environ is None else environ)
        return DIFFERENT if asyncio.run(run(plan)) else SAME
    except (ComparisonError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED


def _print_anything() -> None:
    """Let no text of a server be more than the terminal's encoding can show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def parser() -> Parser:
    """What the command takes."""
    found = Parser(
        prog="whisper-bento compare",
        description="Send one recording to two servers of OpenAI's API, in every format, and "
        "print what differs. Nothing goes anywhere else.",
        epilog="Keys are better kept in WHISPER_AGAINST_KEY and WHISPER_HERE_KEY than in the "
        "shell's history; for api.openai.com OPENAI_API_KEY is taken, too. "
        "Exit status: 0 no differences, 1 differences, 2 the servers could not be compared.",
    )
    found.add_argument("file", metavar="FILE", type=Path, help="the recording")
    add = found.add_argument
    add("--against", metavar="URL", required=True, help="the server that clients use now")
    add("--key", metavar="KEY", help="its key")
    add("--model", default="whisper-1", help="the model that clients name (default: whisper-1)")
    add("--here", metavar="URL", default=HERE, help=f"this server (default: {HERE})")
    add("--here-key", metavar="KEY", help="its key")
    add("--here-model", metavar="MODEL", help="its model (default: the same name)")
    add("--language", help="of the recording (default: both detect it)")
    add("--only", metavar="NAME,...", help="these calls alone, and json; --dry-run lists them")
    add("--tolerance", type=_seconds, default=0.02, metavar="SECONDS", help=_TOLERANCE)
    add("--timeout", type=_seconds, default=600.0, metavar="SECONDS", help=_TIMEOUT)
    add("--json", action="store_true", help="print one JSON object instead")
    add("--dry-run", action="store_true", help="say what would be sent, and send nothing")
    return found


_TOLERANCE = "what times may differ by (default: 0.02, Whisper's own step)"
_TIMEOUT = "how long an answer may take (default: 600)"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} are no seconds")
    return seconds
