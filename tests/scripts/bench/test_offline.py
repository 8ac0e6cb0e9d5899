"""The offline benchmark, run for real on two clips, and what it is made of."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from scripts.bench import offline
from scripts.bench.worker import Worker
from scripts.shared.corpus import Choice, choose, joined
from scripts.shared.errors import BenchError
from scripts.shared.manifest import OWN_SPEECH, Clip
from scripts.shared.run_config import RunConfig

needs_bench = pytest.mark.skipif(find_spec("jiwer") is None, reason="the bench extra is missing")
CLIPS = ["--model", "tiny.en", "--limit", "2", "--rounds", "1"]


def test_choose_takes_english_speech_once() -> None:
    clips = choose(Choice())
    assert {clip.language for clip in clips} == {"en"}
    assert len({clip.text for clip in clips}) == len(clips)
    assert any(clip.path.name == "jfk.flac" for clip in clips)


def test_choose_by_length_kind_and_number() -> None:
    clips = choose(Choice(kind="read", longer_than=3.0, shorter_than=6.0, limit=3))
    assert len(clips) == 3
    assert all(3.0 < clip.seconds < 6.0 and "read" in clip.kind for clip in clips)


def test_choose_folder_without_manifest_has_no_texts() -> None:
    clips = choose(Choice(OWN_SPEECH.parent / "clips" / "librispeech"))
    assert len(clips) > 1
    assert {clip.text for clip in clips} == {None}
    assert all(1.0 < clip.seconds < 30.0 for clip in clips)


def test_choose_nothing_is_an_error() -> None:
    with pytest.raises(BenchError, match="no recording there"):
        choose(Choice(longer_than=1e6))


def test_choose_damaged_manifest_names_the_line(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text('{"path": "a.wav", "language": "en", "seconds": 1}\n{"path": 1}\n')
    with pytest.raises(BenchError, match="line 2"):
        choose(Choice(tmp_path))


def test_joined_has_all_texts_and_the_silence_between(tmp_path: Path) -> None:
    clips = choose(Choice(limit=3))
    whole = joined(clips, tmp_path / "joined.wav")
    assert whole.text == " ".join(str(clip.text) for clip in clips)
    assert whole.seconds == pytest.approx(sum(c.seconds for c in clips) + 0.6, abs=0.02)


@needs_bench
def test_word_error_rate_counts_words_of_all_clips() -> None:
    from scripts.shared.accuracy import word_error_rate

    clips = [Clip(Path(name), text, "en", 1.0) for name, text in (("a", "Blue sky."), ("b", "x y"))]
    assert word_error_rate(clips, ["blue, sky", "x y"]) == 0.0
    assert word_error_rate(clips, ["blue, sea", "x y"]) == 25.0
    assert word_error_rate([Clip(Path("a"), None, "en", 1.0)], ["x"]) is None


@needs_bench
def test_bench_offline_measures_ours_and_a_peer(
    weights: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights("tiny.en")
    peer = ["--against", "faster-whisper"] if find_spec("faster_whisper") else []
    report_file = tmp_path / "report.json"
    assert offline.main([*CLIPS, *peer, "--json", str(report_file)]) == 0
    report = json.loads(report_file.read_text())
    assert list(report["competitors"]) == ["ours", *peer[1:]]
    for competitor in report["competitors"].values():
        assert competitor["rtfx"]["min"] == competitor["rtfx"]["median"] > 0
        assert competitor["wer_percent"] < 10
        assert 0 < competitor["cpu_seconds"] < 600
        assert 50e6 < competitor["peak_memory"] < 4e9
        assert competitor["load_seconds"] > 0
        assert len(competitor["texts"]) == 2
    assert list(report["ours_over_peer"]) == peer[1:]
    assert report["hardware"]["packages"]["torch"]
    assert report["hardware"]["cores"] >= 1
    assert report["setup"]["model"] == "tiny.en"
    assert report["audio"]["clips"][0]["name"] == "jfk.flac"
    assert report["command"].startswith("python -m scripts.bench.offline --model tiny.en")
    assert "ours" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--audio", "nowhere"], "nowhere: no such folder or manifest"),
        (["--random-weights", "unheard-of"], "no official checkpoint is named 'unheard-of'"),
        (["--random-weights", "tiny", "--tokens-per-window", "999"], "must lie in 2..224"),
    ],
)
def test_bench_offline_says_in_one_line_what_is_wrong(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert offline.main([*arguments, "--json", str(tmp_path / "report.json")]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_bench_offline_refuses_an_unknown_peer(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        offline.main(["--against", "slower-whisper"])
    assert ended.value.code == 2
    assert "'slower-whisper' is none of faster-whisper" in capsys.readouterr().err


def test_worker_that_takes_too_long_is_ended() -> None:
    worker = Worker("ours", RunConfig("tiny.en", 1), 0.1)
    with worker, pytest.raises(BenchError, match=r"longer than 0\.1 s"):
        worker.ready()


def test_worker_says_why_its_process_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    worker = Worker("ours", RunConfig("tiny.en", 1), 30.0)
    with worker, pytest.raises(BenchError, match="ours has failed: no reason given"):
        worker.ready()
