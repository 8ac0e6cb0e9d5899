"""Live visitors of a soak against a small server on 127.0.0.1; thresholds, on made turns."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.load_tests.clients import LEFT
from scripts.load_tests.live_visitors import COMPLETED, Turn, Visitors, judge_live
from scripts.shared.corpus import Choice, choose
from scripts.shared.http_load import Server
from scripts.shared.manifest import Clip
from tests.api.realtime.running import running, wait_for

CLIP = Clip(Path("clip"), "Ask not", "en", 2.0)
ALONE = {CLIP.path: "Ask not, what."}
WHOLE = Turn(CLIP, "xhigh", COMPLETED, "ask not what")
OTHER = Turn(CLIP, "low", COMPLETED, "ask")
GONE = Turn(CLIP, "low", LEFT)


def met(*turns: Turn) -> list[bool]:
    return [threshold.is_met for threshold in judge_live(turns, ALONE)]


def test_sound_turns_meet_every_threshold() -> None:
    assert met(WHOLE, OTHER, GONE) == [True, True]


@pytest.mark.parametrize(
    ("worse", "expected"),
    [
        (replace(WHOLE, text="ask not why"), [True, False]),
        (replace(WHOLE, text=""), [True, False]),
        (Turn(CLIP, "low", "the session has ended with 1011"), [False, True]),
        (Turn(CLIP, "xhigh", "not completed in 60 s"), [False, True]),
    ],
)
def test_a_fault_misses_its_threshold(worse: Turn, expected: list[bool]) -> None:
    assert met(WHOLE, OTHER, worse) == expected


def test_nothing_to_judge_misses_every_threshold() -> None:
    assert met() == [False, False]
    assert met(GONE) == [False, False]


def test_visitors_have_turns_and_leave_nothing_behind() -> None:
    clips = choose(Choice(shorter_than=3))
    with running() as server:
        visitors = Visitors(Server(server.url, "base", timeout=60), clips)
        asyncio.run(visitors.run(4, 4, seed=5))
        wait_for(lambda: len(server.observed) == len(server.sessions))

    statuses = {turn.status for turn in visitors.turns}
    assert statuses == {COMPLETED, LEFT}
    assert all(turn.text.endswith("bytes") for turn in visitors.turns if turn.status == COMPLETED)
    assert all(session.closed for session in server.sessions)
