"""Soak test: many clients at a running server for minutes, rude ones among them."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import psutil

from scripts.load_tests.client_calls import Audio, prepare
from scripts.load_tests.clients import Clients, Outcome
from scripts.load_tests.live_visitors import Turn, Visitors, judge_live, wrong_turns
from scripts.load_tests.processes import followed, server_process
from scripts.load_tests.soak_phases import figures, soak_phases
from scripts.load_tests.soak_thresholds import Texts, judge, wrong_texts
from scripts.load_tests.thresholds import for_report, verdict
from scripts.shared.accuracy import word_error_rate
from scripts.shared.command_line import (
    Parser,
    add_report,
    add_server,
    chosen,
    positive,
    positive_float,
    run,
)
from scripts.shared.corpus import add_choice, choice_of, choose
from scripts.shared.host import describe_host
from scripts.shared.http_load import Load, Server, check, connected
from scripts.shared.report import columns, number

# The server is watched for so long before the load and after it.
_IDLE_SECONDS = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status: 0, 1 for an error or a missed threshold, 130 when interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.load_tests.soak", description=__doc__)
    add_server(parser)
    parser.add_argument(
        "--pid",
        type=positive,
        metavar="N",
        help="the server's first process (default: the one that listens at the address)",
    )
    parser.add_argument("--clients", type=positive, default=16, metavar="N", help="default: 16")
    parser.add_argument(
        "--live",
        type=int,
        default=3,
        metavar="N",
        help="live sessions beside them, some left in their midst (default: 3; 0: none)",
    )
    parser.add_argument(
        "--minutes", type=positive_float, default=5.0, metavar="M", help="default: 5"
    )
    parser.add_argument(
        "--time-limit",
        type=positive_float,
        default=300.0,
        metavar="S",
        help="seconds for one request (default: 300)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all choices")
    add_report(parser, "soak.json")
    add_choice(parser)
    return parser


def _measure(options: argparse.Namespace) -> dict[str, object]:
    clips = choose(choice_of(options))
    process = server_process(options.url, options.pid)
    with tempfile.TemporaryDirectory() as folder:
        audio = prepare(clips, Path(folder), Random(options.seed))  # noqa: S311
        return asyncio.run(_soak(options, audio, process))


async def _soak(
    options: argparse.Namespace, audio: Audio, process: psutil.Process
) -> dict[str, object]:
    server = Server(options.url, options.model, options.api_key, options.time_limit)
    async with connected(server) as client:
        alone = await _alone(Load(client, options.model), audio)
    wer = word_error_rate(audio.spoken, [alone[clip.path] for clip in audio.spoken])
    async with followed(process) as uses:
        await asyncio.sleep(_IDLE_SECONDS)
        begin = time.perf_counter()
        async with connected(server) as client:
            clients = Clients(client, options.model, audio)
            visitors = Visitors(server, audio.clips)
            times = options.minutes * 60, options.seed
            async with asyncio.TaskGroup() as group:
                group.create_task(clients.run(options.clients, *times))
                group.create_task(visitors.run(options.live, *times))
        done = time.perf_counter()
        await asyncio.sleep(_IDLE_SECONDS)
    parts = soak_phases(clients.outcomes, uses, begin, begin + options.minutes * 60, done)
    thresholds = judge(clients.outcomes, alone, parts)
    thresholds += judge_live(visitors.turns, alone) if options.live else []
    print(f"{options.url}, model {options.model}: {options.clients} clients, {done - begin:.0f} s")
    print(f"word errors when asked alone, against what is said: {number(wer)} %\n")
    found = {part.name: figures(part) for part in parts}
    print(f"{columns(found)}\n\n{verdict(thresholds)}")
    return {
        "hardware": describe_host(),
        "options": chosen(options),
        "wer_percent": wer,
        "statuses": Counter(outcome.answer.status for outcome in clients.outcomes),
        "live": Counter(turn.status for turn in visitors.turns),
        "stretches": found,
        "wrong_texts": [_told(o, alone) for o in wrong_texts(clients.outcomes, alone)],
        "wrong_live_texts": [
            _told_live(turn, alone) for turn in wrong_turns(visitors.turns, alone)
        ],
        **for_report(thresholds),
    }


async def _alone(load: Load, audio: Audio) -> dict[Path, str]:
    """The text of each recording while nothing else is asked."""
    return {clip.path: (await check(load, clip)).text for clip in audio.spoken}


def _told(outcome: Outcome, alone: Texts) -> dict[str, str]:
    clip = outcome.call.clip
    return {"file": clip.path.name, "alone": alone[clip.path], "text": outcome.answer.text}


def _told_live(turn: Turn, alone: Texts) -> dict[str, str]:
    return {"file": turn.clip.path.name, "alone": alone[turn.clip.path], "text": turn.text}


if __name__ == "__main__":
    sys.exit(main())
