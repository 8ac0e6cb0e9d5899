"""Benchmark of repeated words against openai-whisper: counts said and counts transcribed.

Voices that are installed with the extra `truth` say one word 1 to 20 times. The exit status is 1
where ours has fewer of the words that were said than openai-whisper with the same weights.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from api.settings import prepare_environment
from scripts.shared.command_line import (
    Parser,
    add_machine,
    add_precision,
    add_report,
    positive,
    run,
    setup_of,
)

_VOICES = ("joe", "espeak-en-gb-x-rp", "espeak-en-us+f3")
_MAX = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status: 0, 1 for an error or a missed bar, 130 if interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.quality.repetition", description=__doc__)
    parser.add_argument("--model", default="base", help="from the store (default: base)")
    parser.add_argument(
        "--counts",
        type=_counts,
        default=tuple(range(1, _MAX + 1)),
        metavar="N,...",
        help="how often a word is said (default: 1 to 20)",
    )
    add_machine(parser)
    add_precision(parser)
    add_report(parser, "repetition.json")
    return parser


def _counts(text: str) -> tuple[int, ...]:
    return tuple(positive(count) for count in text.split(","))


def _measure(options: argparse.Namespace) -> dict[str, object]:
    prepare_environment()
    # they import torch, which reads how its threads are to wait
    from scripts.quality.measure import measure
    from scripts.quality.repeated import fewer, repeated_clips, repetition
    from scripts.quality.voices import voices

    setup = setup_of(options)
    with TemporaryDirectory() as folder:
        clips = list(repeated_clips(voices(_VOICES), options.counts, Path(folder)))
        measured = measure(clips, setup, with_reference=True)
    print(f"Model `{setup.model}`: ours {measured.description}.\n")
    print(repetition(measured.results))
    missed = [result.clip.path.stem for result in fewer(measured.results)]
    return measured.report() | {"missed": missed}


if __name__ == "__main__":
    sys.exit(main())
