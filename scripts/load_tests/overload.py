"""Overload test: several times the load a running server can answer; goodput and refusals."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, takewhile
from pathlib import Path
from statistics import fmean

from scripts.load_tests.overload_phases import SHORT_SECONDS, Phase, figures, judge
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
from scripts.shared.errors import BenchError
from scripts.shared.host import cpu_seconds, describe_host
from scripts.shared.http_load import Load, Server, check, connected, repeated
from scripts.shared.manifest import Clip
from scripts.shared.report import columns

_IDLE_REQUESTS = 40
_LONG_SECONDS = 60.0
# So many requests with short clips for each with the long recording.
_SHORT_FOR_LONG = 15
# Before anything counts, the load runs for this share of its time, so that queues are full.
_WARM_UP = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status: 0, 1 for an error or a missed threshold, 130 when interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.load_tests.overload", description=__doc__)
    add_server(parser)
    parser.add_argument(
        "--clients",
        type=positive,
        default=32,
        metavar="N",
        help="at once, to measure the capacity (default: 32)",
    )
    parser.add_argument(
        "--capacity-seconds",
        type=positive_float,
        default=30.0,
        metavar="S",
        help="how long to measure it (default: 30)",
    )
    parser.add_argument(
        "--times",
        type=positive_float,
        default=4.0,
        metavar="X",
        help="of the capacity (default: 4)",
    )
    parser.add_argument(
        "--seconds", type=positive_float, default=120.0, metavar="S", help="default: 120"
    )
    parser.add_argument(
        "--time-limit",
        type=positive_float,
        default=120.0,
        metavar="S",
        help="seconds for one request; one that takes longer is a failure (default: 120)",
    )
    add_report(parser, "overload.json")
    add_choice(parser)
    return parser


def _measure(options: argparse.Namespace) -> dict[str, object]:
    short = [clip for clip in choose(choice_of(options)) if clip.seconds <= SHORT_SECONDS]
    if not short:
        raise BenchError(f"no recording was chosen that is no longer than {SHORT_SECONDS:g} s")
    with tempfile.TemporaryDirectory() as folder:
        long = joined_until(short, _LONG_SECONDS, Path(folder) / "long.wav")
        phases, share = asyncio.run(_load(options, short, long))
    thresholds = judge(*phases)
    found = {phase.name: figures(phase) for phase in phases}
    print(f"{options.url}, model {options.model}: {options.times:g} times what it can do\n")
    print(
        f"{columns(found)}\n\nthe load itself took {share:.0%} of a core\n\n{verdict(thresholds)}"
    )
    return {
        "hardware": describe_host(),
        "options": chosen(options),
        "phases": found,
        "load_cpu_share": share,
        **for_report(thresholds),
    }


async def _load(
    options: argparse.Namespace, short: Sequence[Clip], long: Clip
) -> tuple[tuple[Phase, Phase, Phase], float]:
    """The three phases, and how much of a core the last one's load took."""
    server = Server(options.url, options.model, options.api_key, options.time_limit)
    async with connected(server) as client:
        await check(Load(client, options.model), long)
        idle = await _idle(Load(client, options.model), short)
        mix = _mixed(short, long)
        capacity = await _capacity(Load(client, options.model), mix, options)
        if not capacity.audio_rate:
            raise BenchError("nothing was answered at capacity: see --capacity-seconds")
        cpu, begin = cpu_seconds(), time.perf_counter()
        rate = options.times * capacity.audio_rate / fmean(clip.seconds for clip in mix)
        overload = await _overload(Load(client, options.model), mix, rate, options.seconds)
        share = (cpu_seconds() - cpu) / (time.perf_counter() - begin)
    return (idle, capacity, overload), share


def _mixed(short: Sequence[Clip], long: Clip) -> list[Clip]:
    """The short clips again and again, until each has been in every place between long ones."""
    clips = repeated(short, _SHORT_FOR_LONG * len(short))
    starts = range(0, len(clips), _SHORT_FOR_LONG)
    return [clip for start in starts for clip in (*clips[start : start + _SHORT_FOR_LONG], long)]


async def _idle(load: Load, short: Sequence[Clip]) -> Phase:
    begin = time.perf_counter()
    await load.closed_loop(repeated(short, _IDLE_REQUESTS), 1)
    return Phase("idle", load.answers, begin, time.perf_counter())


async def _capacity(load: Load, mix: Sequence[Clip], options: argparse.Namespace) -> Phase:
    begin, end = _times(options.capacity_seconds)
    await load.closed_loop(_until(end, mix), options.clients)
    return Phase("at capacity", load.answers, begin, end)


async def _overload(load: Load, mix: Sequence[Clip], rate: float, seconds: float) -> Phase:
    begin, end = _times(seconds)
    await load.open_loop(_until(end, mix), rate)
    return Phase("overload", load.answers, begin, end)


def _times(seconds: float) -> tuple[float, float]:
    """Begin and end of what counts, after the time that queues take to fill."""
    begin = time.perf_counter() + _WARM_UP * seconds
    return begin, begin + seconds


def _until(end: float, clips: Iterable[Clip]) -> Iterator[Clip]:
    return takewhile(lambda _: time.perf_counter() < end, cycle(clips))


if __name__ == "__main__":
    sys.exit(main())
