"""The live load test against a small server on 127.0.0.1, and its thresholds, on made figures."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from scripts.load_tests import live_load
from scripts.load_tests.live_phases import (
    LivePhase,
    all_completed,
    as_right,
    as_soon,
    figures,
    file_as_soon,
    file_share,
    overloaded,
)
from scripts.load_tests.live_speakers import Said, Told
from scripts.load_tests.thresholds import Threshold
from scripts.shared.manifest import Clip
from scripts.shared.replies import Answer
from tests.api.realtime.running import running

pytestmark = pytest.mark.skipif(find_spec("jiwer") is None, reason="the bench extra is missing")

CLIP = Clip(Path("clip"), "Ask not what your country", "en", 5.0)


def phase(*seconds: float, text: str = "ask not what your country", files: int = 10) -> LivePhase:
    """Thirty seconds in which texts came so late, evenly spread, and files took 2 s each."""
    apart = 30 / max(1, len(seconds))
    said = [Said(CLIP, text, late, number * apart) for number, late in enumerate(seconds)]
    answers = [Answer(CLIP, "200", 2.0, 3.0 * n, CLIP.text or "") for n in range(files)]
    return LivePhase("of the tests", 0.0, Told(said), answers, end=30.0)


def met(*thresholds: Threshold) -> list[bool]:
    return [threshold.is_met for threshold in thresholds]


def test_texts_beside_other_work_may_be_half_as_late_again() -> None:
    assert met(*as_soon(phase(1.0), phase(1.5))) == [True, True]
    assert met(*as_soon(phase(1.0), phase(1.6))) == [False, True]
    assert met(*as_soon(phase(1.0), phase())) == [False, True]


def test_texts_beside_other_work_are_as_right() -> None:
    assert not as_right(phase(1.0), phase(1.0, text="ask what your country", files=0)).is_met
    assert not as_right(phase(1.0), phase(files=0)).is_met


def test_a_short_file_beside_speakers_takes_twice_as_long_at_most() -> None:
    slow = phase()
    slow.files = [Answer(CLIP, "200", 4.1, 5.0)]
    assert file_as_soon(phase(), phase()).is_met
    assert not file_as_soon(phase(), slow).is_met


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([4.0] * 6, [True, True]),
        ([4.0] * 5 + [4.1], [False, True]),
        ([1.0, 1.0, 2.0, 2.0, 3.1, 3.1], [True, False]),
        ([], [False, False]),
    ],
)
def test_too_many_speakers_are_late_evenly(seconds: list[float], expected: list[bool]) -> None:
    assert met(*overloaded(phase(1.0), phase(*seconds))) == expected


@pytest.mark.parametrize(("files", "expected"), [(3, True), (2, False), (0, False)])
def test_files_beside_too_many_speakers_have_their_share(files: int, expected: bool) -> None:
    assert file_share(phase(), phase(1.0, files=files)).is_met is expected
    assert not file_share(phase(files=0), phase(1.0)).is_met


def test_whatever_goes_wrong_is_a_failure_but_a_refusal_with_a_time() -> None:
    refused = phase(1.0)
    refused.files.append(Answer(CLIP, "503", 0.1, 5.0, retry_after="7"))
    broken = phase(1.0)
    broken.told.failures.append("the session has ended with 1011")
    failed = phase(1.0)
    failed.files.append(Answer(CLIP, "500", 0.1, 5.0))

    assert met(*[all_completed([each]) for each in (refused, broken, failed)]) == [
        True,
        False,
        False,
    ]
    assert not all_completed([]).is_met
    assert figures(broken)["failures"] == 1


def test_every_speaker_and_file_of_every_phase_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.load_tests.live_load._LONG_SECONDS", 30.0)
    report = tmp_path / "live-load.json"
    options = ["--limit", "2", "--kind", "read", "--shorter-than", "2", "--speakers", "1"]
    times = ["--phase-seconds", "2", "--seconds", "2"]
    with running("whisper-1") as server:
        live_load.main(["--url", server.url, *options, *times, "--json", str(report)])
        sessions = len(server.sessions)

    written = json.loads(report.read_text())
    phases = written["phases"]
    assert phases["alone"]["texts of speakers"] >= 1
    assert phases["2 speakers and files"]["texts of speakers"] >= 2
    assert phases["2 speakers and files"]["files"] >= 1
    assert sum(each["failures"] for each in phases.values()) == 0
    # Who warms up, one in each of three phases and the burst beside one, four, one, two, two.
    assert sessions >= 1 + 3 + 1 + 4 + 1 + 2 + 2
    assert phases["beside a long file"]["files"] >= 1
    [whole] = [bar for bar in written["bars"] if bar["promise"].startswith("every commit")]
    assert whole["is_met"]
    assert "met     every commit completed" in capsys.readouterr().out
