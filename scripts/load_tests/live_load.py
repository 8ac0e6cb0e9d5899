"""Live load test: speakers beside files, beside bursts, and twice as many as can be served."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.load_tests.live_phases import LivePhase, all_completed, figures
from scripts.load_tests.live_rounds import Files, Place, Round, one_speaker, short_file, too_many
from scripts.load_tests.live_speakers import speakers
from scripts.load_tests.thresholds import Threshold, for_report, verdict
from scripts.shared.command_line import (
    Parser,
    add_report,
    add_server,
    chosen,
    positive,
    positive_float,
    run,
)
from scripts.shared.corpus import add_choice, choice_of, choose, joined_until
from scripts.shared.host import describe_host
from scripts.shared.http_load import Load, Server, check, connected
from scripts.shared.manifest import Clip
from scripts.shared.opus import as_opus
from scripts.shared.report import columns

_LONG_SECONDS, _BURST_SECONDS, _SHORT_SECONDS = 3600.0, 60.0, 5.0
# Of a phase's time, until the first texts have warmed everything.
_WARM_UP = 0.15


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status: 0, 1 for an error or a missed threshold, 130 when interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.load_tests.live_load", description=__doc__)
    add_server(parser)
    parser.add_argument(
        "--speakers",
        type=positive,
        default=4,
        metavar="N",
        help="that the machine can serve; twice as many come (default: 4)",
    )
    parser.add_argument(
        "--seconds",
        type=positive_float,
        default=180.0,
        metavar="S",
        help="that those speak (default: 180)",
    )
    parser.add_argument(
        "--phase-seconds",
        type=positive_float,
        default=60.0,
        metavar="S",
        help="of each other phase (default: 60)",
    )
    add_report(parser, "live-load.json")
    add_choice(parser)
    return parser


def _measure(options: argparse.Namespace) -> dict[str, object]:
    clips = choose(choice_of(options))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long = joined_until(clips, _LONG_SECONDS, folder / "long.wav")
        files = Files(
            long=as_opus(long, folder / "long.opus"),
            pushed=joined_until(clips, _BURST_SECONDS, folder / "pushed.wav"),
            short=joined_until(clips[:1], _SHORT_SECONDS, folder / "short.wav"),
        )
        phases, thresholds = asyncio.run(_load(options, clips, files))
    found = {phase.name: figures(phase) for phase in phases}
    print(f"{options.url}, model {options.model}\n\n{columns(found)}\n\n{verdict(thresholds)}")
    return {
        "hardware": describe_host(),
        "options": chosen(options),
        "phases": found,
        "p50 by thirds": {phase.name: phase.thirds() for phase in phases},
        **for_report(thresholds),
    }


async def _load(
    options: argparse.Namespace, clips: Sequence[Clip], files: Files
) -> tuple[list[LivePhase], list[Threshold]]:
    server = Server(options.url, options.model, options.api_key)
    async with connected(server) as client:
        await check(Load(client, options.model), files.short)
        await speakers(server, clips, 1, _WARM_UP * options.phase_seconds)
        place = Place(server, client, clips, options.phase_seconds)
        rounds: list[Round] = [
            await one_speaker(place, files),
            await short_file(place, files),
            await too_many(place, options.speakers, options.seconds),
        ]
    phases = [phase for each in rounds for phase in each[0]]
    thresholds = [threshold for each in rounds for threshold in each[1]]
    return phases, [*thresholds, all_completed(phases)]


if __name__ == "__main__":
    sys.exit(main())
