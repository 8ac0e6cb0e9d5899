"""How good the times of words are, and what they cost, as tables in Markdown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from api.settings import prepare_openmp
from scripts.bench.host import cores, describe_host
from scripts.bench.program import Parser, positive, run
from scripts.bench.report import DEFAULT_FOLDER
from scripts.bench.setup import Setup
from scripts.quality.choice import add_choice, choice_of, choose
from scripts.quality.markdown import section, table

_HEAD = ["of", "words", "starts: median", "90 %", "ends: median", "90 %"]
_JOINED = "the first and last word of a clip, from where the voice detector hears it"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status: 0, 1 for an error, 130 when interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.word_times", description=__doc__)
    parser.add_argument("--model", default="base", help="from the store (default: base)")
    parser.add_argument("--dtype", default="auto", help="ours (default: auto)")
    parser.add_argument("--rounds", type=positive, default=3, help="for the cost (default: 3)")
    parser.add_argument(
        "--json",
        type=Path,
        default=DEFAULT_FOLDER / "word_times.json",
        metavar="PATH",
        help="where everything goes",
    )
    add_choice(parser)
    parser.set_defaults(languages=("en",), shorter_than=30.0)
    return parser


def _measure(options: argparse.Namespace) -> dict[str, object]:
    clips = [clip for clip in choose(choice_of(options)) if clip.is_speech]
    prepare_openmp()
    # they import torch, which reads how its threads are to wait
    from models.audio.silero import load_silero
    from scripts.bench.ours import Ours
    from scripts.bench.peers import OpenAIWhisper
    from scripts.quality import words

    setup = Setup(model=options.model, threads=cores(), dtype=options.dtype, concurrency=8)
    with closing(Ours(setup)) as ours:
        cost = words.cost(ours, clips, options.rounds)
        known = words.from_known_bounds(ours, clips, load_silero())
        own = [words.words_of(ours, clip) for clip in tqdm(clips, "ours", unit="clip")]
        description = ours.description
    model = OpenAIWhisper(setup).model
    theirs = [words.words_of_whisper(model, c) for c in tqdm(clips, "openai-whisper", unit="clip")]
    apart = words.joined_distances(list(map(words.between, own, theirs)))
    print(f"Model `{setup.model}`, {len(clips)} clips: ours {description}; milliseconds.\n")
    rows = [["openai-whisper's", *apart.row()], [_JOINED, *known.row()]]
    print(section("Word times", table(_HEAD, rows), f"They cost {100 * cost:.1f} % of the time."))
    return {
        "hardware": describe_host(),
        "setup": asdict(setup),
        "cost": cost,
        "from_openai_whisper": asdict(apart),
        "from_known_bounds": asdict(known),
    }


if __name__ == "__main__":
    sys.exit(main())
