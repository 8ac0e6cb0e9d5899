"""Benchmark of soft and whispered speech against openai-whisper: deletions and hallucinations.

The chosen clips of a corpus are made softer and whispered; those without speech, and sounds that
are made here, are heard at several levels. Both tables are of the same run: a server that answers
with nothing at all is silent, too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

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
    parser = Parser(prog="python -m scripts.quality.soft_speech", description=__doc__)
    parser.add_argument("--model", default="base", help="from the store (default: base)")
    add_machine(parser)
    parser.add_argument(
        "--without-reference", action="store_true", help="only ours, not openai-whisper"
    )
    add_report(parser, "soft_speech.json")
    ours = parser.add_argument_group("ours")
    add_precision(ours)
    add_strategy(ours)
    add_choice(parser)
    return parser


def _measure(options: argparse.Namespace) -> dict[str, object]:
    clips = choose(choice_of(options))
    prepare_environment()
    # they import torch, which reads how its threads are to wait
    from scripts.quality.conditions import silent_clips, soft_clips
    from scripts.quality.measure import measure
    from scripts.quality.rejection import rejection
    from scripts.quality.silence import silence

    setup = setup_of(options)
    with_reference = not options.without_reference
    with TemporaryDirectory() as folder:
        made = soft_clips([clip for clip in clips if clip.is_speech], Path(folder))
        made += silent_clips([clip for clip in clips if not clip.is_speech], Path(folder))
        measured = measure(made, setup, with_reference=with_reference)
    print(f"Model `{setup.model}`: ours {measured.description}, strategy {setup.strategy}.\n")
    for part in (rejection, silence):
        print(part(measured.results, with_reference=with_reference), end="\n\n")
    return measured.report()


if __name__ == "__main__":
    sys.exit(main())
