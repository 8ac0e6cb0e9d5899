"""`scripts.quality.wer`, run for real on a few clips."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from models.checkpoints.weights import Weights
from models.engine.engine import Engine
from models.options import TranscribeOptions
from models.transcription.transcriber import Transcriber
from scripts.quality import wer
from scripts.quality.answer import asks_language, told_language
from scripts.quality.ours import without_guards
from tests.scripts.quality.answers import clip
from tests.speech_clips import clips

needs_bench = pytest.mark.skipif(find_spec("jiwer") is None, reason="the bench extra is missing")
CHOSEN = ["--languages", "de,none", "--shorter-than", "6", "--limit-per-group", "1"]


@needs_bench
def test_wer_hears_the_same_clips_on_both_sides(
    weights: Callable[[str], Weights], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights("base")
    file = tmp_path / "wer.json"
    assert wer.main([*CHOSEN, "--json", str(file)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("Model `base`, greedy with fallback: ours ")
    assert said.out.count("\n## ") == 4
    assert "| openai-whisper |" in said.out
    assert "openai-whisper: 100%" in said.err
    report = json.loads(file.read_text())
    by_language = {entry["clip"]["language"]: entry for entry in report["clips"]}
    speech, silent = by_language["de"], by_language["none"]
    for side in ("ours", "unguarded", "reference"):
        assert speech[side]["errors"]["words"] > 5
        assert speech[side]["errors"]["deletions"] < 3
        assert speech[side]["segments"][0]["avg_logprob"] < 0
    assert speech["ours"]["language"] == speech["reference"]["language"] == "de"
    assert silent["unguarded"] is silent["ours"]["language"] is None
    assert len(report["clips"]) == 3


@needs_bench
def test_wer_without_reference_asks_only_ours(
    weights: Callable[[str], Weights], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights("tiny.en")
    file = tmp_path / "wer.json"
    options = ["--model", "tiny.en", "--languages", "en", "--kinds", "noisy"]
    assert wer.main([*options, "--without-reference", "--json", str(file)]) == 0
    (only,) = json.loads(file.read_text())["clips"]
    assert only["ours"]["errors"]["words"] == 11
    assert only["reference"] is only["ours"]["language"] is None
    assert "openai-whisper" not in capsys.readouterr().out


def test_told_its_own_language_a_clip_has_the_same_text(engine: Callable[[str], Engine]) -> None:
    transcriber = Transcriber(engine("base"))
    spoken = next(clip for clip in clips("nl") if clip.seconds > 3)
    options = TranscribeOptions()

    def heard(options: TranscribeOptions) -> tuple[str, str]:
        with spoken.path.open("rb") as file:
            transcript = asyncio.run(transcriber.transcribe(file, options))
        return transcript.language, transcript.text

    assert heard(options) == heard(replace(options, language="nl"))


def test_without_guards_nothing_is_dropped_or_decoded_again() -> None:
    options = TranscribeOptions(language="de", strategy="parallel")
    bare = without_guards(options)
    assert bare.compression_ratio_threshold is None
    assert bare.logprob_threshold is None
    assert bare.no_speech_threshold is None
    assert (bare.language, bare.strategy) == ("de", "parallel")


def test_language_is_told_where_somebody_speaks_and_asked_from_3_s_on() -> None:
    assert told_language(clip(language="nl")) == "nl"
    assert told_language(clip(language="none")) is None
    assert asks_language(clip(seconds=3.0))
    assert not asks_language(clip(seconds=2.9))
    assert not asks_language(clip(language="none"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--audio", "nowhere"], "nowhere: no such manifest"),
        (["--longer-than", "9000"], "no recording there is as the options ask for"),
        (["--model", "unheard-of"], "unheard-of is not in the model store"),
    ],
)
def test_wer_says_in_one_line_what_is_wrong(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wer.main([*arguments, "--json", str(tmp_path / "wer.json")]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_wer_tells_an_english_model_from_the_others(
    weights: Callable[[str], Weights], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights("tiny.en")
    assert wer.main(["--model", "tiny.en", "--json", str(tmp_path / "wer.json")]) == 1
    assert "tiny.en knows English only" in capsys.readouterr().err


def test_wer_refuses_an_unknown_language(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        wer.main(["--languages", "en,klingon"])
    assert ended.value.code == 2
    assert "'klingon' is neither a language's code nor none" in capsys.readouterr().err
