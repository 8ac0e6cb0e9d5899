"""Server benchmark: latency and throughput of a server with OpenAI's API, under load."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.audio.load.load_audio import load
from models.units import SAMPLE_RATE
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
from scripts.shared.http_load import Load, Server, check, connected, repeated
from scripts.shared.manifest import Clip
from scripts.shared.replies import Answer
from scripts.shared.report import number, percentile, table

# Clip lengths in seconds: from, below.
_LENGTHS = {
    "all": (0.0, float("inf")),
    "below 5 s": (0.0, 5.0),
    "5-15 s": (5.0, 15.0),
    "15-30 s": (15.0, 30.0),
    "30 s and more": (30.0, float("inf")),
}
_PERCENTS = (50, 95, 99)


@dataclass(frozen=True)
class Measured:
    """A run: its answers, those of the background, wall seconds, requests asked for."""

    answers: list[Answer]
    background: list[Answer]
    seconds: float
    requests: int
    streamed: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; the exit status: 0, 1 for an error, 130 when interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.bench.server", description=__doc__)
    add_server(parser)
    parser.add_argument(
        "--clients",
        type=positive,
        default=8,
        metavar="N",
        help="at once, each waiting for its answer (default: 8)",
    )
    parser.add_argument(
        "--rate",
        type=positive_float,
        metavar="R",
        help="requests a second whether or not any is answered, not --clients",
    )
    parser.add_argument("--requests", type=positive, default=60, metavar="N", help="default: 60")
    parser.add_argument(
        "--time-limit",
        type=positive_float,
        default=600.0,
        metavar="S",
        help="seconds in all; what is not answered by then is unfinished",
    )
    parser.add_argument("--stream", action="store_true", help="measure the first segment's time")
    parser.add_argument(
        "--background", type=Path, metavar="FILE", help="a long recording to keep running meanwhile"
    )
    add_report(parser, "server.json")
    add_choice(parser)
    return parser


def _measure(options: argparse.Namespace) -> dict[str, object]:
    clips = choose(choice_of(options))
    background = None
    if options.background:
        seconds = len(load(options.background)) / SAMPLE_RATE
        background = Clip(options.background, None, options.language, seconds)
    measured = asyncio.run(_load(options, clips, background))
    summary = _summary(measured)
    _print(options, summary)
    return {
        "hardware": describe_host(),
        "options": chosen(options),
        "audio": [{"name": clip.path.name, "seconds": clip.seconds} for clip in clips],
        **summary,
    }


async def _load(
    options: argparse.Namespace, clips: Sequence[Clip], background: Clip | None
) -> Measured:
    server = Server(options.url, options.model, options.api_key, options.time_limit)
    shortest = min(clips, key=lambda clip: clip.seconds)
    async with connected(server) as client:
        await check(Load(client, options.model), shortest)
        streamed = options.stream and await _streams(
            Load(client, options.model, stream=True), shortest
        )
        measured = Load(client, options.model, stream=streamed)
        behind = Load(client, options.model)
        noise = asyncio.create_task(behind.endlessly(background)) if background else None
        begin = time.perf_counter()
        try:
            async with asyncio.timeout(options.time_limit):
                wanted = repeated(clips, options.requests)
                if options.rate:
                    await measured.open_loop(wanted, options.rate)
                else:
                    await measured.closed_loop(wanted, options.clients)
        except TimeoutError:
            pass  # counted as unfinished
        seconds = time.perf_counter() - begin
        if noise:
            noise.cancel()
            await asyncio.wait([noise])
    return Measured(measured.answers, behind.answers, seconds, options.requests, streamed)


async def _streams(load: Load, clip: Clip) -> bool:
    return (await load.ask(clip, time.perf_counter())).first_segment is not None


def _summary(measured: Measured) -> dict[str, Any]:
    good = [answer for answer in measured.answers if answer.is_good]
    statuses = Counter(answer.status for answer in measured.answers)
    statuses["unfinished"] = measured.requests - len(measured.answers)
    firsts = [answer.first_segment for answer in good if answer.first_segment is not None]
    return {
        "seconds": measured.seconds,
        "rtfx": sum(answer.clip.seconds for answer in good) / measured.seconds,
        "requests_per_second": len(good) / measured.seconds,
        "wer_percent": _error_rate(good),
        "statuses": {status: count for status, count in statuses.items() if count},
        "latency": {
            name: _percentiles([a.seconds for a in good if minimum <= a.clip.seconds < below])
            for name, (minimum, below) in _LENGTHS.items()
        },
        "first_segment": _percentiles(firsts) if measured.streamed else None,
        "background": dict(Counter(answer.status for answer in measured.background)),
    }


def _percentiles(values: Sequence[float]) -> dict[str, float | None]:
    return {"count": len(values)} | {f"p{p}": percentile(values, p) for p in _PERCENTS}


def _error_rate(answers: Sequence[Answer]) -> float | None:
    if not answers:
        return None
    return word_error_rate([a.clip for a in answers], [a.text for a in answers])


def _print(options: argparse.Namespace, summary: dict[str, Any]) -> None:
    how = f"{options.rate:g} requests/s" if options.rate else f"{options.clients} clients"
    print(f"{options.url}, model {options.model}: {options.requests} requests, {how}")
    print(
        f"RTFx {summary['rtfx']:.1f}, {summary['requests_per_second']:.2f} requests/s, "
        f"WER {number(summary['wer_percent'])} %, {summary['seconds']:.1f} s"
    )
    for title, counts in (("status", summary["statuses"]), ("background", summary["background"])):
        if counts:
            print(f"{title}: " + ", ".join(f"{name} x {n}" for name, n in counts.items()))
    rows = [["latency in s", "count", *(f"p{percent}" for percent in _PERCENTS)]]
    rows += [_row(name, found) for name, found in summary["latency"].items() if found["count"]]
    if summary["first_segment"]:
        rows.append(_row("first segment", summary["first_segment"]))
    print("\n" + table(rows))
    if options.stream and not summary["first_segment"]:
        print("first segment: not available, this server does not stream")


def _row(name: str, found: dict[str, float | None]) -> list[str]:
    times = [number(found[f"p{percent}"], 2) for percent in _PERCENTS]
    return [name, number(found["count"], 0), *times]


if __name__ == "__main__":
    sys.exit(main())
