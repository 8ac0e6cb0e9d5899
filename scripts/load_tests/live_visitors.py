"""Live visitors of a soak: sessions of some turns at any speed, some left in their midst."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from models.audio.load.load_audio import load
from scripts.load_tests.clients import LEFT
from scripts.load_tests.live_clients import LiveClient, LiveSetup, live, pieces
from scripts.load_tests.thresholds import Threshold
from scripts.shared.accuracy import normalised
from scripts.shared.http_load import Server
from scripts.shared.manifest import Clip

COMPLETED = "completed"
_WHOLE = "xhigh"
_DELAYS = ("low", _WHOLE, "medium", _WHOLE)
_SPEEDS = (1.0, 3.0, 20.0)
_MOST_TURNS = 4
# Of a hundred turns, those that are left while they are spoken, and while their text is awaited.
_LEFT_SPEAKING, _LEFT_WAITING = 7, 7


@dataclass(frozen=True)
class Turn:
    """A turn and what came of it: `completed` with its text, `left`, or what went wrong."""

    clip: Clip
    delay: str
    status: str
    text: str = ""


@dataclass
class Visitors:
    """Live sessions at one server, one after the other; what they see is in `turns`."""

    server: Server
    clips: Sequence[Clip]
    turns: list[Turn] = field(default_factory=list)

    async def run(self, count: int, seconds: float, seed: int) -> None:
        """Run so many visitors with choices of their own; no session is begun after `seconds`."""
        end = time.perf_counter() + seconds
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(self._one(Random(f"{seed}, live {number}"), end))  # noqa: S311

    async def _one(self, random: Random, end: float) -> None:
        while time.perf_counter() < end:
            delay, speed = random.choice(_DELAYS), random.choice(_SPEEDS)
            setup = LiveSetup(delay=delay, language=self.clips[0].language)
            async with live(self.server, setup) as client:
                for _ in range(random.randint(1, _MOST_TURNS)):
                    turn = await self._turn(client, delay, speed, random)
                    self.turns.append(turn)
                    if turn.status != COMPLETED:
                        break

    async def _turn(self, client: LiveClient, delay: str, speed: float, random: Random) -> Turn:
        clip, percent = random.choice(self.clips), random.uniform(0, 100)
        sound = pieces(load(clip.path))
        if percent < _LEFT_SPEAKING:
            await client.speak(sound[: len(sound) // 2], speed)
            return Turn(clip, delay, LEFT)
        await client.speak(sound, speed)
        await client.commit()
        if percent < _LEFT_SPEAKING + _LEFT_WAITING:
            return Turn(clip, delay, LEFT)
        before = len(client.heard.transcripts)
        await client.completed(before + 1, self.server.timeout)
        if client.heard.failures:
            return Turn(clip, delay, client.heard.failures[0])
        return Turn(clip, delay, COMPLETED, client.heard.transcripts[before][1])


def judge_live(turns: Sequence[Turn], alone: Mapping[Path, str]) -> list[Threshold]:
    """The thresholds of live turns; `alone` has each clip's text as a file, asked for alone.

    Where there is nothing to judge, one is missed.
    """
    stayed = [turn for turn in turns if turn.status != LEFT]
    failures = Counter(turn.status for turn in stayed if turn.status != COMPLETED)
    done = len(stayed) - failures.total()
    wrong = wrong_turns(turns, alone)
    whole = sum(turn.delay == _WHOLE and turn.status == COMPLETED for turn in turns)
    told = [f"{status} x {count}" for status, count in failures.items()]
    return [
        Threshold(
            "every live turn completed",
            "; ".join([f"{done} of {len(stayed)}", *told]),
            is_met=bool(stayed) and not failures,
        ),
        Threshold(
            f"every live text of delay {_WHOLE} as the file's",
            f"{whole - len(wrong)} of {whole}",
            is_met=bool(whole) and not wrong,
        ),
    ]


def wrong_turns(turns: Sequence[Turn], alone: Mapping[Path, str]) -> list[Turn]:
    """The turns with other words than the same clip as a file, where they are promised."""
    return [
        turn
        for turn in turns
        if turn.delay == _WHOLE and turn.status == COMPLETED and not _is_right(turn, alone)
    ]


def _is_right(turn: Turn, alone: Mapping[Path, str]) -> bool:
    language = turn.clip.language
    return normalised(turn.text, language) == normalised(alone[turn.clip.path], language)
