"""Word error rate beside openai-whisper's on the same weights: tables in Markdown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from api.settings import prepare_environment
from scripts.quality.clip_choice import add_choice, choice_of, choose
from scripts.shared.command_line import (
    Parser,
    add_machine,
    add_precision,
    add_report,
    add_strategy,
    run,
    setup_of,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status: 0, 1 for an error, 130 when interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.quality.wer", description=__doc__)
    parser.add_argument("--model", default="base", help="from the store (default: base)")
    add_machine(parser)
    parser.add_argument(
        "--without-reference", action="store_true", help="only ours, not openai-whisper"
    )
    parser.add_argument(
        "--against-float32", action="store_true", help="also ours in float32 with full padding"
    )
    add_report(parser, "wer.json")
    ours = parser.add_argument_group("ours")
    add_precision(ours)
    add_strategy(ours)
    add_choice(parser)
    return parser


def _measure(options: argparse.Namespace) -> dict[str, object]:
    clips = choose(choice_of(options))
    prepare_environment()
    # they import torch, which reads how its threads are to wait
    from scripts.quality.measure import measure
    from scripts.quality.report import report

    setup = setup_of(options)
    with_reference = not options.without_reference
    measured = measure(
        clips, setup, with_reference=with_reference, with_float32=options.against_float32
    )
    beside = "; openai-whisper float32" if with_reference else ""
    how = f"ours {measured.description}, strategy {setup.strategy}{beside}"
    print(f"Model `{setup.model}`, greedy with fallback: {how}.\n")
    print(report(measured.results, with_reference=with_reference))
    return measured.report()


if __name__ == "__main__":
    sys.exit(main())
