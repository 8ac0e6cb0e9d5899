"""The long live test against a small server on 127.0.0.1, and its thresholds, on made minutes."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.load_tests import long_stream
from scripts.load_tests.live_clients import Heard
from scripts.load_tests.long_stream_minutes import Look, Minute, judge, minutes
from tests.api.realtime.running import running
from tests.server import free_port

MINUTE = Minute(1, memory=500.0, cpu=0.01, lag=1.5, deltas=20, longest_gap=3.0)
HOUR = [replace(MINUTE, number=number + 1) for number in range(60)]
SPOKEN = Heard(deltas=[(1.0, "And"), (2.0, " so")], transcripts=[(2.0, "And so")], began=1)


def missed(parts: list[Minute], heard: Heard = SPOKEN, *, is_speech: bool = True) -> list[int]:
    """The numbers of the thresholds that are missed."""
    found = judge(parts, [heard], is_speech=is_speech)
    return [number for number, threshold in enumerate(found) if not threshold.is_met]


def test_a_steady_hour_meets_every_threshold() -> None:
    assert missed(HOUR) == []
    assert missed(HOUR, Heard(), is_speech=False) == []


@pytest.mark.parametrize(
    ("change", "number"),
    [
        # What is warmed up at first does not count.
        (lambda at: replace(MINUTE, memory=400.0 if at < 6 else 500.0), None),
        (lambda at: replace(MINUTE, memory=500.0 + (21.0 if 10 < at < 20 else 0.0)), 1),
        (lambda at: replace(MINUTE, memory=500.0 + at / 3), 2),
        (lambda at: replace(MINUTE, deltas=0 if at == 30 else 20), 3),
        (lambda at: replace(MINUTE, lag=1.5 if at < 40 else 2.3), 5),
    ],
)
def test_an_hour_that_is_not_steady_misses_one(change: object, number: int | None) -> None:
    assert callable(change)
    assert missed([change(at) for at in range(60)]) == ([] if number is None else [number])


def test_failures_and_other_transcripts_miss_one() -> None:
    assert missed(HOUR, replace(SPOKEN, failures=["the session has ended with 1011"])) == [0]
    assert missed(HOUR, replace(SPOKEN, transcripts=[(2.0, "And not")])) == [4]


def test_turns_and_work_in_silence_miss_one() -> None:
    assert missed(HOUR, replace(SPOKEN, began=1), is_speech=False) == [3]
    busy = [replace(MINUTE, cpu=0.04)] * 60
    assert missed(busy, Heard(), is_speech=False) == [4]


def test_too_little_to_judge_misses_what_needs_more() -> None:
    assert missed([MINUTE]) == [1, 2, 5]


def test_minutes_have_their_looks_and_deltas() -> None:
    looks = [
        Look(10.0 + at, (100 + at) * 1024**2, at / 10, at * 2.0, at) for at in range(0, 130, 5)
    ]
    heard = Heard(deltas=[(at, " word") for at in (10.0, 20.0, 50.0, 75.0)])
    first, second = minutes(looks, [heard], begin=10.0)

    assert (first.number, second.number) == (1, 2)
    assert (first.memory, second.memory) == (127.5, 187.5)
    assert first.cpu == pytest.approx(0.1)
    assert first.lag == pytest.approx(2.0)
    assert (first.deltas, first.longest_gap) == (3, 30.0)
    assert (second.deltas, second.longest_gap) == (1, 55.0)


def test_a_stream_of_some_seconds_is_followed_to_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "long.json"
    options = ["--minutes", "0.05", "--pid", str(os.getpid()), "--limit", "1"]
    with running("whisper-1") as server:
        status = long_stream.main(["--url", server.url, *options, "--json", str(report)])
        audio = [session.seconds for session in server.sessions]

    # Three seconds at 16 kHz, as of 24 kHz.
    assert audio == [pytest.approx(2.0, abs=0.1)]
    assert status == 1
    written = json.loads(report.read_text())
    assert written["sent_late"] < 60
    assert "no error, and no session ended" not in written["missed"]
    assert "MISSED" in capsys.readouterr().out


def test_a_server_that_is_not_there_is_an_error_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    options = ["--url", url, "--pid", str(os.getpid()), "--json", str(tmp_path / "long.json")]
    assert long_stream.main(options) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("error: ")
