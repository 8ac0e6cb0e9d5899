"""scripts.quality.word_times: distances, and a run on real weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.text.transcript import Word
from scripts.quality.word_times import main
from scripts.quality.words import Distances, between, joined_distances


def word(text: str, start: float, end: float) -> Word:
    return Word(text, start, end, 1.0)


def test_between_compares_the_words_that_both_have() -> None:
    ours = [word(" And", 0.0, 0.25), word(" so,", 0.5, 1.0), word(" friends", 1.0, 2.0)]
    theirs = [word(" and", 0.5, 0.5), word(" my", 0.5, 0.75), word(" friends.", 1.25, 2.0)]
    assert between(ours, theirs) == Distances([0.5, 0.25], [0.25, 0.0])


def test_distances_of_several_are_one_row() -> None:
    both = joined_distances([Distances([0.0, 0.02], [0.04]), Distances([0.04], [0.04, 0.04])])
    assert both.row() == ["3", "20", "36", "40", "40"]


def test_word_times_are_near_those_of_openai_whisper(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "word_times.json"
    options = ["--model", "tiny.en", "--limit-per-group", "3", "--rounds", "1"]
    assert main([*options, "--kinds", "read", "--json", str(path)]) == 0

    assert "## Word times" in capsys.readouterr().out
    apart = json.loads(path.read_text(encoding="utf-8"))["from_openai_whisper"]
    assert len(apart["starts"]) > 20
    assert Distances(**apart).row()[1::2] == ["0", "0"]
