"""Speakers of a live load test: clip after clip in real time, whatever has come of the last one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.units import SAMPLE_RATE
from scripts.load_tests.live_clients import LiveClient, LiveSetup, live, pieces
from scripts.shared.http_load import Server
from scripts.shared.manifest import Clip

# A clip's edges that are below this are no speech.
_QUIET = 0.02
# Seconds of silence behind which a client commits, and until it speaks again.
_BEFORE_COMMIT, _BEHIND_COMMIT = 0.3, 0.7
# Seconds that the last texts may take.
_LAST_SECONDS = 120.0
# A burst is so many times as fast as it is spoken.
_BURST_SPEED = 20.0


@dataclass(frozen=True)
class Said:
    """A clip that was said live: its text, and the seconds from its last sound to that.

    `ended` is when it was said, as `time.perf_counter`.
    """

    clip: Clip
    text: str
    seconds: float
    ended: float


@dataclass
class Told:
    """What speakers were told, and what has gone wrong for them."""

    said: list[Said] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    sent_late: float = 0.0

    def add(self, other: Told) -> None:
        """Another speaker's as well."""
        self.said += other.said
        self.failures += other.failures
        self.sent_late = max(self.sent_late, other.sent_late)


async def speakers(server: Server, clips: Sequence[Clip], number: int, seconds: float) -> Told:
    """So many at once, each from another clip on, who begin no clip after so many seconds."""
    told = Told()
    sounds = await asyncio.to_thread(_sounds, clips)

    async def one(first: int) -> None:
        # Not all in step.
        await asyncio.sleep(first * 0.37)
        told.add(await _speaker(server, _endless(clips, first), sounds, seconds))

    async with asyncio.TaskGroup() as group:
        for first in range(number):
            group.create_task(one(first))
    return told


async def burst(server: Server, clip: Clip) -> Told:
    """A client that pushes a recording much faster than it is spoken, and commits it."""
    async with live(server, LiveSetup()) as client:
        await client.speak(pieces(load(clip.path)), _BURST_SPEED)
        committed = time.perf_counter()
        await client.commit()
        await client.completed(1, _LAST_SECONDS)
    said = [Said(clip, text, at - committed, committed) for at, text in client.heard.transcripts]
    return Told(said, client.heard.failures, client.sent_late)


async def _speaker(
    server: Server, clips: Iterator[Clip], sounds: dict[Path, Samples], seconds: float
) -> Told:
    end = time.perf_counter() + seconds
    spoken: list[tuple[Clip, float]] = []
    async with live(server, LiveSetup()) as client:
        while time.perf_counter() < end and client.is_open:
            clip = next(clips)
            await client.speak(pieces(sounds[clip.path]))
            spoken.append((clip, time.perf_counter()))
            await _say_nothing(client, _BEFORE_COMMIT)
            await client.commit()
            await _say_nothing(client, _BEHIND_COMMIT)
        await client.completed(len(spoken), _LAST_SECONDS)
    heard = zip(spoken, client.heard.transcripts, strict=False)
    said = [Said(clip, text, at - ended, ended) for (clip, ended), (at, text) in heard]
    missing = len(spoken) - len(said)
    failures = [*client.heard.failures, *["without a text"] * missing]
    return Told(said, failures, client.sent_late)


async def _say_nothing(client: LiveClient, seconds: float) -> None:
    await client.speak(pieces(np.zeros(round(seconds * SAMPLE_RATE), np.float32)))


def _sounds(clips: Sequence[Clip]) -> dict[Path, Samples]:
    return {clip.path: without_edges(load(clip.path)) for clip in clips}


def _endless(clips: Sequence[Clip], first: int) -> Iterator[Clip]:
    return (clips[number % len(clips)] for number in count(first))


def without_edges(samples: Samples) -> Samples:
    """A clip from its first loud sample to its last."""
    loud = np.flatnonzero(np.abs(samples) > _QUIET)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples
