"""Benchmark of word timestamps against openai-whisper: distances and cost, in Markdown.

Ours as openai-whisper finds them, which is what `word_times=openai` gives, and as they are served.
How far both are from the truth says `scripts.quality.word_truth`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial

from api.settings import prepare_environment
from scripts.quality.clip_choice import add_choice, choice_of, choose
from scripts.quality.markdown import section, table
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

_HEAD = ["of", "words", "starts: median", "90 %", "ends: median", "90 %"]
_KNOWN = ", first and last of a clip, from where the voice detector hears them"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status: 0, 1 for an error, 130 when interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.quality.word_times", description=__doc__)
    parser.add_argument("--model", default="base", help="from the store (default: base)")
    add_machine(parser)
    add_precision(parser)
    parser.add_argument("--rounds", type=positive, default=3, help="for the cost (default: 3)")
    add_report(parser, "word_times.json")
    add_choice(parser)
    parser.set_defaults(languages=("en",), shorter_than=30.0)
    return parser


def _measure(options: argparse.Namespace) -> dict[str, object]:
    clips = [clip for clip in choose(choice_of(options)) if clip.is_speech]
    prepare_environment()
    # they import torch, which reads how its threads are to wait
    from scripts.bench.ours import Ours
    from scripts.bench.peers import OpenAIWhisper
    from scripts.quality import words

    setup = setup_of(options)
    with closing(Ours(setup)) as ours:
        cost = words.cost(ours, clips, options.rounds)
        raw = words.word_times(partial(words.words_of, ours, times="openai"), clips, "ours")
        served = words.word_times(partial(words.words_of, ours), clips, "ours, served")
        description = ours.description
    model = OpenAIWhisper(setup).model
    theirs = words.word_times(partial(words.words_of_whisper, model), clips, "openai-whisper")
    pairs = zip(raw.words, theirs.words, strict=True)
    apart = words.joined_distances([words.between(*pair) for pair in pairs])
    print(f"Model `{setup.model}`, {len(clips)} clips: ours {description}; milliseconds.\n")
    rows = [
        ["ours from openai-whisper's", *apart.row()],
        [f"ours{_KNOWN}", *raw.from_bounds.row()],
        [f"ours as served{_KNOWN}", *served.from_bounds.row()],
        [f"openai-whisper's{_KNOWN}", *theirs.from_bounds.row()],
    ]
    print(section("Word times", table(_HEAD, rows), f"They cost {100 * cost:.1f} % of the time."))
    return {
        "hardware": describe_host(),
        "setup": asdict(setup),
        "cost": cost,
        "from_openai_whisper": asdict(apart),
        "from_known_bounds": asdict(raw.from_bounds),
        "served_from_known_bounds": asdict(served.from_bounds),
        "openai_whisper_from_known_bounds": asdict(theirs.from_bounds),
    }


if __name__ == "__main__":
    sys.exit(main())
