"""Boundary error of word timestamps, by synthesized speech, as a table in Markdown.

Sentences of our own are spoken by voices that tell when they say each word. Each voice is heard
sentence by sentence, and once in a recording joined of them, with pauses. The table has the times
as openai-whisper finds them beside those that are served.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial

from tqdm import tqdm

from api.settings import prepare_environment
from scripts.quality.markdown import section
from scripts.shared.command_line import (
    Parser,
    add_machine,
    add_precision,
    add_report,
    positive,
    run,
    setup_of,
)
from scripts.shared.host import describe_host


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status: 0, 1 for an error, 130 when interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.quality.word_truth", description=__doc__)
    parser.add_argument("--model", default="base", help="from the store (default: base)")
    parser.add_argument(
        "--voices", type=_names, default=(), metavar="NAME,...", help="default: all it can speak"
    )
    parser.add_argument("--sentences", type=positive, metavar="N", help="of each voice (all)")
    add_machine(parser)
    add_precision(parser)
    add_report(parser, "word_truth.json")
    return parser


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _measure(options: argparse.Namespace) -> dict[str, object]:
    prepare_environment()
    # they import torch, which reads how its threads are to wait
    from scripts.bench.ours import Ours
    from scripts.quality.comparison import as_table, compare, lead
    from scripts.quality.voices import voices
    from scripts.quality.words import words_of

    setup = setup_of(options)
    chosen = voices(options.voices)
    with closing(Ours(setup)) as ours:
        if not ours.engine.vocabulary.dims.is_multilingual:
            chosen = [voice for voice in chosen if voice.language == "en"]
        sides = {
            "openai": partial(words_of, ours, times="openai"),
            "served": partial(words_of, ours, times="heard"),
        }
        found = compare(sides, chosen, options.sentences)
        lines = list(tqdm(found, unit="recordings", total=2 * len(chosen)))
        description = ours.description
    early = lead(lines, "openai")
    print(f"Model `{setup.model}`: {description}; milliseconds, and percent.\n")
    print(section("Word times against the truth", as_table(lines)))
    print(f"\nAttention lead: {early:.3f} s." if early is not None else "\nNo word was understood.")
    return {
        "hardware": describe_host(),
        "setup": asdict(setup),
        "attention_lead": early,
        "voices": {
            line.voice: {side: errors.figures() for side, errors in line.errors.items()}
            for line in lines
        },
    }


if __name__ == "__main__":
    sys.exit(main())
