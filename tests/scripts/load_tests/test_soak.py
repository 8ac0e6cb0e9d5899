"""The soak against small servers on 127.0.0.1, and its bars against outcomes made for them."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import pytest

from models.audio.load.load_audio import load
from models.errors import AudioError
from scripts.load_tests import soak
from scripts.load_tests.broken_clients import write_broken
from scripts.load_tests.client_calls import Audio, Call, Moment, draw
from scripts.load_tests.clients import LEFT, Outcome
from scripts.load_tests.processes import Use
from scripts.load_tests.soak_phases import figures, soak_phases
from scripts.load_tests.soak_thresholds import judge
from scripts.shared.manifest import Clip
from scripts.shared.replies import Answer
from tests.scripts.faults import Sound, Unsound, serving
from tests.server import free_port
from tests.speech_clips import jfk

pytestmark = pytest.mark.skipif(find_spec("jiwer") is None, reason="the bench extra is missing")

CLIP = Clip(jfk().path, "Ask not", "en", 11.0)
BROKEN = Clip(Path("broken"), None, "en", 0.0)
ALONE = {CLIP.path: "Ask not, what."}
GIBIBYTE = 1024**3


def soaked(url: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """The report of a soak of some seconds; its exit status says whether a bar was missed."""
    file = folder / "soak.json"
    short = ["--minutes", "0.15", "--clients", "6", "--limit", "5", "--live", "0"]
    status = soak.main(["--url", url, "--json", str(file), *short, *arguments])
    report: dict[str, Any] = json.loads(file.read_text())
    assert status == (1 if report["missed"] else 0)
    return report


def met(report: dict[str, Any]) -> list[bool]:
    return [bar["is_met"] for bar in report["bars"]]


def test_sound_server_answers_all_and_errs_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    transcriber = Sound()
    with serving(transcriber) as url:
        report = soaked(url, tmp_path)
    # All but memory: this process is client and server at once, and does not rest.
    assert met(report)[:4] == [True] * 4
    assert report["wrong_texts"] == []
    statuses = report["statuses"]
    assert statuses.keys() == {"200", "400", "503", LEFT}
    parts = report["stretches"]
    assert sum(part["requests"] for part in parts.values()) == sum(statuses.values())
    assert sum(part["refused, to come again"] for part in parts.values()) == statuses["503"]
    idle = [parts[name] for name in ("before", "after")]
    assert [part["requests"] for part in idle] == [0, 0]
    assert all(part["memory in MiB, median"] > 0 for part in idle)
    printed = capsys.readouterr().out
    assert "last third" in printed
    assert "met     no 5xx" in printed


def test_faults_miss_their_bars(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Unsound()) as url:
        report = soaked(url, tmp_path)
    assert met(report) == [False] * 5
    assert report["wrong_texts"]
    assert "MISSED  no 5xx" in capsys.readouterr().out


def test_process_that_is_not_there_is_an_error_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert soak.main(["--url", url, "--json", str(tmp_path / "soak.json")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--pid" in error


def outcome(call: Call, status: str, at: float = 1.0, **found: Any) -> Outcome:
    return Outcome(call, Answer(call.clip, status, 1.0, at, **found))


GOOD = outcome(Call(CLIP, "json"), "200", text="ask not what")
SRT = outcome(
    Call(CLIP, "srt"),
    "200",
    text="1\n00:00:00,000 --> 00:00:01,000\nAsk not,\n\n2\n00:00:01,000 --> 00:00:02,000\nwhat.",
)
REFUSED_AUDIO = outcome(Call(BROKEN, "json", is_broken=True), "400", has_envelope=True)
GONE = outcome(Call(CLIP, "json"), LEFT)
LATER = outcome(Call(CLIP, "json"), "503", retry_after="7")
SOUND = [GOOD, SRT, REFUSED_AUDIO, GONE, LATER]
STEADY = [1.0, 1.0, 1.0]


def bars_met(outcomes: list[Outcome], memory: list[float]) -> list[bool]:
    """The bars where these came within three seconds, with so many GiB in each of them."""
    uses = [Use(at + 0.5, int(held * GIBIBYTE), 9, 9, 1) for at, held in enumerate(memory)]
    parts = soak_phases(outcomes, uses, 0.0, 3.0, 3.5)
    return [bar.is_met for bar in judge(outcomes, ALONE, parts)]


def test_sound_outcomes_meet_every_bar() -> None:
    assert bars_met(SOUND, [0.5, 1.0, 1.04]) == [True] * 5
    assert bars_met(SOUND, [1.0, 1.0, 0.5]) == [True] * 5


@pytest.mark.parametrize(
    ("worse", "missed"),
    [
        (outcome(Call(CLIP, "json"), "500"), {0, 1}),
        (outcome(Call(CLIP, "json"), "503"), {0, 1}),
        (outcome(Call(CLIP, "json"), "503", retry_after="61"), {0, 1}),
        (outcome(Call(CLIP, "json"), "ReadError"), {1}),
        (outcome(Call(CLIP, "json"), "TimeoutError"), {1}),
        (outcome(Call(CLIP, "json"), "400", has_envelope=True), {1}),
        (outcome(Call(BROKEN, "json", is_broken=True), "400"), {2}),
        (outcome(Call(BROKEN, "json", is_broken=True), "200", text="Ask not, what."), {2}),
        (outcome(Call(BROKEN, "json", is_broken=True), "500", has_envelope=True), {0, 2}),
        (outcome(Call(CLIP, "json"), "200", text="Ask not, why."), {3}),
        (outcome(Call(CLIP, "json"), "200"), {3}),
    ],
)
def test_fault_misses_its_bar(worse: Outcome, missed: set[int]) -> None:
    found = bars_met([*SOUND, worse], STEADY)
    assert {number for number, is_met in enumerate(found) if not is_met} == missed


def test_growing_memory_misses_its_bar() -> None:
    assert bars_met(SOUND, [1.0, 1.0, 1.06]) == [True] * 4 + [False]


def test_nothing_to_judge_misses_every_bar() -> None:
    assert bars_met([], []) == [False] * 5


def test_figures_belong_to_their_third() -> None:
    outcomes = [outcome(Call(CLIP, "json"), "200", at) for at in (0.5, 2.5, 2.9, 3.2)]
    parts = [figures(part) for part in soak_phases(outcomes, [], 0.0, 3.0, 3.5)]
    assert [part["answered"] for part in parts] == [0, 1, 0, 2, 1, 0]
    assert [part["RTFx"] for part in parts] == [0.0, 11.0, 0.0, 22.0, 22.0, 0.0]


def test_choices_are_those_of_the_seed() -> None:
    audio = Audio([CLIP], [CLIP], [BROKEN])

    def drawn(seed: int) -> list[Call]:
        random = Random(seed)
        return [draw(audio, random) for _ in range(1_000)]

    calls = drawn(1)
    assert drawn(1) == calls
    assert drawn(2) != calls
    assert 70 < sum(call.is_broken for call in calls) < 130
    leaving = [call.leaving.moment for call in calls if call.leaving]
    assert 70 < len(leaving) < 130
    assert set(leaving) == set(Moment)
    assert {call.response_format for call in calls} == {"json", "verbose_json", "srt"}


def test_broken_files_are_no_recordings(tmp_path: Path) -> None:
    clips = write_broken(tmp_path, 50, Random(3))
    assert len({clip.kind for clip in clips}) == 5
    for clip in clips:
        with pytest.raises(AudioError):
            load(clip.path)
