"""Job load test: how much later short recordings are beside background jobs, and what those get."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, takewhile
from pathlib import Path

from scripts.load_tests.job_clients import Jobs, jobs_of
from scripts.load_tests.job_phases import JobPhase, figures, judge
from scripts.load_tests.thresholds import for_report, verdict
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
from scripts.shared.replies import Answer
from scripts.shared.report import columns

# Until the jobs that run are in the midst of their recordings.
WARM_UP = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status: 0, 1 for an error or a missed threshold, 130 when interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.load_tests.job_load", description=__doc__)
    add_server(parser)
    parser.add_argument(
        "--jobs", type=positive, default=100, metavar="N", help="that wait (default: 100)"
    )
    parser.add_argument(
        "--job-seconds",
        type=positive_float,
        default=600.0,
        metavar="S",
        help="of sound in each (default: 600)",
    )
    parser.add_argument(
        "--clients",
        type=positive,
        default=1,
        metavar="N",
        help="who ask for one short recording after the other (default: 1)",
    )
    parser.add_argument(
        "--phase-seconds", type=positive_float, default=60.0, metavar="S", help="default: 60"
    )
    add_report(parser, "job-load.json")
    add_choice(parser)
    return parser


def _measure(options: argparse.Namespace) -> dict[str, object]:
    clips = choose(choice_of(options))
    with tempfile.TemporaryDirectory() as name:
        joined = joined_until(clips, options.job_seconds, Path(name) / "long.wav")
        long = as_opus(joined, Path(name) / "long.opus")
        phases = asyncio.run(_load(options, clips, long))
    thresholds = judge(*phases)
    found = {phase.name: figures(phase) for phase in phases}
    print(f"{options.url}, model {options.model}\n\n{columns(found)}\n\n{verdict(thresholds)}")
    return {
        "hardware": describe_host(),
        "options": chosen(options),
        "phases": found,
        **for_report(thresholds),
    }


async def _load(
    options: argparse.Namespace, clips: Sequence[Clip], long: Clip
) -> tuple[JobPhase, JobPhase, JobPhase]:
    """Short recordings alone, jobs alone, and both."""
    server = Server(options.url, options.model, options.api_key)
    async with connected(server) as client, jobs_of(client, long) as jobs:
        load = Load(client, options.model)
        await check(load, clips[0])
        alone = await _phase("clips alone", jobs, load, clips, options)
        await jobs.submit(options.model, options.jobs)
        await asyncio.sleep(WARM_UP)
        only = await _phase("jobs alone", jobs, None, clips, options)
        both = await _phase(f"beside {options.jobs} jobs", jobs, load, clips, options)
    return alone, only, both


async def _phase(
    name: str,
    jobs: Jobs,
    load: Load | None,
    clips: Sequence[Clip],
    options: argparse.Namespace,
) -> JobPhase:
    print(f"{name} ...", file=sys.stderr, flush=True)
    before, begin = await jobs.seconds_done(), time.perf_counter()
    end = begin + options.phase_seconds
    if load is None:
        await asyncio.sleep(options.phase_seconds)
        answers: list[Answer] = []
    else:
        answers = load.answers = []
        until = takewhile(lambda _: time.perf_counter() < end, cycle(clips))
        await load.closed_loop(until, options.clients)
    done, seconds = await jobs.seconds_done() - before, time.perf_counter() - begin
    return JobPhase(name, answers, done / seconds, seconds)


if __name__ == "__main__":
    sys.exit(main())
