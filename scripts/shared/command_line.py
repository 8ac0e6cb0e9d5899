"""Command-line scaffolding of the scripts: arguments, error handling, JSON report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from models.errors import WhisperError
from scripts.shared.errors import BenchError
from scripts.shared.host import cores
from scripts.shared.report import DEFAULT_FOLDER, write_json
from scripts.shared.run_config import RunConfig

_INTERRUPTED = 130
# Errors that are told in one line.
_KNOWN = (BenchError, WhisperError, OSError)
# Clips in flight at once, so that the slots are busy.
_AT_ONCE = 8


class Parser(argparse.ArgumentParser):
    """Argument parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"error: {message} (see --help)\n")


def run(
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace], dict[str, object]],
    arguments: Sequence[str] | None,
) -> int:
    """Measure, and write the report to `--json`.

    The exit status: 0, 1 for an error or where the report has `missed` bars, 130 when interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(given)
    try:
        report = measure(options)
        write_json(options.json, report, [*parser.prog.split(), *given])
    except (*_KNOWN, ExceptionGroup) as error:
        first = _first(error)
        if not isinstance(first, _KNOWN):
            raise
        print(f"error: {first}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return _INTERRUPTED
    print(f"written to {options.json}", file=sys.stderr)
    return 1 if report.get("missed") else 0


def _first(error: Exception) -> Exception:
    """The error, or the first one of a group of tasks."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def add_server(parser: argparse.ArgumentParser) -> None:
    """`--url`, `--model` and `--api-key`: whom to ask."""
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="default: %(default)s")
    parser.add_argument("--model", default="whisper-1", help="model id (default: whisper-1)")
    parser.add_argument("--api-key", metavar="KEY")


def chosen(options: argparse.Namespace) -> dict[str, str]:
    """The options as a report tells them: all but the key."""
    return {name: str(value) for name, value in vars(options).items() if name != "api_key"}


def add_report(parser: argparse.ArgumentParser, name: str) -> None:
    """`--json`, by default in the folder of reports."""
    parser.add_argument(
        "--json",
        type=Path,
        default=DEFAULT_FOLDER / name,
        metavar="PATH",
        help="where the report goes",
    )


def add_machine(parser: argparse._ActionsContainer) -> None:
    """`--device` and `--threads`, the same for all that are compared."""
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--threads",
        type=positive,
        default=cores(),
        metavar="N",
        help="CPU threads of each side (default: all cores)",
    )


def add_precision(parser: argparse._ActionsContainer) -> None:
    """`--dtype` of ours."""
    names = ("auto", "float32", "float16", "bfloat16", "int8")
    parser.add_argument("--dtype", default="auto", choices=names, help="ours (default: auto)")


def setup_of(options: argparse.Namespace) -> RunConfig:
    """Run configuration of ours, of what `add_machine`, `add_precision`, `add_strategy` say."""
    return RunConfig(
        model=options.model,
        threads=options.threads,
        device=options.device,
        dtype=options.dtype,
        concurrency=_AT_ONCE,
        strategy=getattr(options, "strategy", "auto"),
    )


def add_strategy(parser: argparse._ActionsContainer) -> None:
    """`--strategy` of ours."""
    parser.add_argument(
        "--strategy",
        choices=("auto", "sequential", "parallel"),
        default="auto",
        help="how a long recording is cut into windows",
    )


def positive(text: str) -> int:
    """A whole number above 0."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return value


def positive_float(text: str) -> float:
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return value
