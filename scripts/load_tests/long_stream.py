"""Long live test: sessions of one turn or of silence, as long as wished; memory, lag and text."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle

import numpy as np
import psutil

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.units import SAMPLE_RATE
from scripts.load_tests.live_clients import LiveClient, LiveSetup, live, pieces
from scripts.load_tests.live_speakers import without_edges
from scripts.load_tests.long_stream_minutes import (
    LOOK_SECONDS,
    Look,
    Minute,
    judge,
    looked,
    minutes,
    rows,
)
from scripts.load_tests.processes import server_process
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
from scripts.shared.corpus import add_choice, choice_of, choose
from scripts.shared.host import describe_host
from scripts.shared.http_load import Server, connected
from scripts.shared.report import table

# Silence that ends a turn: no clip has as much.
_SILENCE_MS = 2000
# Seconds that the last text may take.
_LAST_SECONDS = 600.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status: 0, 1 for an error or a missed threshold, 130 when interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.load_tests.long_stream", description=__doc__)
    add_server(parser)
    parser.add_argument("--pid", type=positive, metavar="N", help="the server's first process")
    parser.add_argument(
        "--sound",
        choices=("speech", "silence"),
        default="speech",
        help="speech is clips joined without a pause: one turn, however long (default)",
    )
    parser.add_argument("--speakers", type=positive, default=1, metavar="N", help="default: 1")
    parser.add_argument(
        "--minutes",
        type=positive_float,
        default=59.0,
        metavar="M",
        help="default: 59, within a session's longest time",
    )
    parser.add_argument("--delay", default="medium", help="default: medium")
    parser.add_argument(
        "--speed", type=positive_float, default=1.0, metavar="X", help="times real time; default: 1"
    )
    add_report(parser, "long-stream.json")
    add_choice(parser)
    return parser


def _measure(options: argparse.Namespace) -> dict[str, object]:
    process = server_process(options.url, options.pid)
    sounds = [np.zeros(SAMPLE_RATE * 60, np.float32)]
    if options.sound == "speech":
        sounds = [without_edges(load(clip.path)) for clip in choose(choice_of(options))]
    parts, clients = asyncio.run(_stream(options, process, sounds))
    is_speech = options.sound == "speech"
    thresholds = judge(parts, [client.heard for client in clients], is_speech=is_speech)
    print(f"{table(rows(parts))}\n\n{verdict(thresholds)}")
    return {
        "hardware": describe_host(),
        "options": chosen(options),
        "minutes": [part.figures() for part in parts],
        "sent_late": max(client.sent_late for client in clients),
        "turns": [len(client.heard.transcripts) for client in clients],
        "words": [len(client.heard.text.split()) for client in clients],
        **for_report(thresholds),
    }


async def _stream(
    options: argparse.Namespace, process: psutil.Process, sounds: Sequence[Samples]
) -> tuple[list[Minute], list[LiveClient]]:
    """The stream's minutes, and the sessions with all that they were told."""
    server = Server(options.url, options.model, options.api_key)
    clients: list[LiveClient] = []
    looks: list[Look] = []
    async with connected(server) as http, asyncio.TaskGroup() as group:
        following = group.create_task(looked(http, process, looks))
        begin = time.perf_counter()
        telling = group.create_task(_tell(looks, clients, begin))
        async with asyncio.TaskGroup() as speakers:
            for number in range(options.speakers):
                sound = _endless(sounds, number, options.minutes * 60)
                speakers.create_task(_speaker(server, options, sound, clients))
        following.cancel()
        telling.cancel()
    return minutes(looks, [client.heard for client in clients], begin), clients


async def _tell(looks: Sequence[Look], clients: Sequence[LiveClient], begin: float) -> None:
    """Print each minute once it has been looked at, until cancelled."""
    await asyncio.sleep(2 * LOOK_SECONDS)
    while True:
        await asyncio.sleep(60)
        parts = minutes(looks, [client.heard for client in clients], begin)
        print("  ".join(rows(parts)[-1]), file=sys.stderr, flush=True)


async def _speaker(
    server: Server, options: argparse.Namespace, sound: Iterator[bytes], clients: list[LiveClient]
) -> None:
    """One session, and its last turn."""
    async with live(server, LiveSetup(_SILENCE_MS, options.delay, options.language)) as client:
        clients.append(client)
        await client.speak(sound, options.speed)
        if client.heard.began > len(client.heard.transcripts):
            await client.commit()
            await client.completed(client.heard.began, _LAST_SECONDS)


def _endless(sounds: Sequence[Samples], first: int, seconds: float) -> Iterator[bytes]:
    """Sound of so many seconds, from another clip on for each speaker."""
    begin = first % len(sounds)
    left = round(seconds * SAMPLE_RATE) * 2
    for sound in cycle([*sounds[begin:], *sounds[:begin]]):
        for piece in pieces(sound):
            yield piece
            left -= len(piece)
            if left <= 0:
                return


if __name__ == "__main__":
    sys.exit(main())
