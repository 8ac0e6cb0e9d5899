"""The overload against small servers on 127.0.0.1, and its bars against answers made for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.load_tests import overload
from scripts.load_tests.overload_phases import Phase, figures, judge
from scripts.shared.manifest import Clip
from scripts.shared.replies import Answer
from tests.scripts.faults import Bounded, Curt, Patient, serving
from tests.server import free_port

SHORT = Clip(Path("short"), None, "en", 10.0)
LONG = Clip(Path("long"), None, "en", 60.0)


def overloaded(url: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """The report of an overload of some seconds; its exit status says whether a bar was missed."""
    file = folder / "overload.json"
    short = ["--capacity-seconds", "2", "--seconds", "3", "--clients", "4", "--limit", "5"]
    status = overload.main(["--url", url, "--json", str(file), *short, *arguments])
    report: dict[str, Any] = json.loads(file.read_text())
    assert status == (1 if report["missed"] else 0)
    return report


def test_refusals_with_a_time_meet_their_bar(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Bounded()) as url:
        report = overloaded(url, tmp_path)
    found = report["phases"]["overload"]
    assert found["refused, to come again"] > 0
    assert found["failed"] == 0
    assert found["requests"] == found["answered"] + found["refused, to come again"]
    assert report["bars"][1]["is_met"]
    assert report["load_cpu_share"] > 0
    printed = capsys.readouterr().out
    assert "at capacity" in printed
    assert "of a core" in printed


def test_refusals_without_a_time_miss_their_bar(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Curt()) as url:
        report = overloaded(url, tmp_path)
    assert not report["bars"][1]["is_met"]
    assert "503 x" in report["bars"][1]["found"]
    assert "MISSED" in capsys.readouterr().out


def test_endless_queue_misses_the_bars_of_waits(tmp_path: Path) -> None:
    with serving(Patient()) as url:
        report = overloaded(url, tmp_path, "--time-limit", "2")
    assert not report["bars"][1]["is_met"]
    assert "TimeoutError x" in report["bars"][1]["found"]
    assert not report["bars"][2]["is_met"]


def test_absent_server_is_an_error_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert overload.main(["--url", url, "--json", str(tmp_path / "overload.json")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "ConnectError" in error


def phase(*answers: Answer) -> Phase:
    """Ten seconds of a load."""
    return Phase("of the tests", list(answers), 0.0, 10.0)


def good(clip: Clip = SHORT, seconds: float = 1.0, ended: float = 5.0) -> Answer:
    return Answer(clip, "200", seconds, ended)


IDLE = phase(*[good()] * 10)
CAPACITY = phase(*[good(seconds=2.0)] * 10)
LATER = Answer(SHORT, "503", 0.1, 5.0, retry_after="60")


def bars_met(*answers: Answer) -> list[bool]:
    return [bar.is_met for bar in judge(IDLE, CAPACITY, phase(*answers))]


def test_sound_answers_meet_every_bar() -> None:
    assert bars_met(*[good(seconds=3.0)] * 9, LATER) == [True] * 3


def test_lost_goodput_misses_its_bar() -> None:
    assert bars_met(*[good()] * 8, LATER) == [False, True, True]
    # One more, but after the time.
    assert bars_met(*[good()] * 8, good(ended=10.5), LATER) == [False, True, True]


def test_long_waits_miss_their_bar() -> None:
    assert bars_met(*[good(seconds=3.1)] * 10) == [True, True, False]
    # Long recordings may take their time.
    assert bars_met(*[good()] * 8, good(LONG, 30.0)) == [True] * 3


@pytest.mark.parametrize(
    "other",
    [
        Answer(SHORT, "503", 0.1, 5.0),
        Answer(SHORT, "503", 0.1, 5.0, retry_after="0"),
        Answer(SHORT, "429", 0.1, 5.0, retry_after="soon"),
        Answer(SHORT, "500", 0.1, 5.0, retry_after="1"),
        Answer(SHORT, "ReadError", 0.1, 5.0),
    ],
)
def test_other_failures_miss_their_bar(other: Answer) -> None:
    assert bars_met(*[good()] * 10, other) == [True, False, True]


def test_silence_meets_no_bar_of_speed() -> None:
    assert bars_met(LATER) == [False, True, False]


def test_figures_count_every_request_once() -> None:
    found = figures(phase(good(), good(LONG), LATER, Answer(SHORT, "500", 0.1, 5.0)))
    assert found["requests"] == 4
    assert [found["answered"], found["refused, to come again"], found["failed"]] == [2, 1, 1]
    assert found["audio seconds per second"] == 7.0
