"""`scripts.quality.repetition`: what voices say, its table, and the clips that miss its bar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.audio.load.load_audio import load
from scripts.quality.repeated import WORDS, fewer, repeated_clips, repetition, words_in
from scripts.quality.spoken import Utterance
from tests.scripts.quality.answers import clip, result


class Hum:
    """A voice that hums for half a second, but cannot say `seven`."""

    name, language = "hum", "en"

    def say(self, text: str) -> Utterance | None:
        if text == "Seven.":
            return None
        pcm = (8000 * np.sin(np.arange(11_025))).astype("<i2")
        return Utterance(pcm.tobytes(), 22_050, [(0.0, 0.5)])


def test_clips_are_a_word_so_many_times(tmp_path: Path) -> None:
    made = list(repeated_clips([Hum()], (1, 3), tmp_path))

    assert [each.text for each in made[:2]] == ["hello", "hello hello hello"]
    assert len(made) == 2 * (len(WORDS) - 1)
    for each in made:
        said = len((each.text or "").split())
        assert each.seconds == pytest.approx(0.8 * said, abs=0.01)
        assert len(load(each.path)) / 16_000 == pytest.approx(each.seconds, abs=0.001)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("Hello, hello. Hello!", 3), ("1-1-1, 11", 5), ("One, 1, one", 3), ("Да, да.", 2)],
)
def test_words_in_a_text(text: str, count: int) -> None:
    assert words_in(text) == count


@pytest.mark.parametrize(
    ("ours", "theirs", "is_fewer"),
    [("no no no", "no no no", False), ("no no", "no no no", True), ("no", "no", False),
     ("no no no", "no no no no no", False), ("no no", "", False)],
)  # fmt: skip
def test_fewer_than_openai_whisper_of_those_that_were_said(
    ours: str, theirs: str, is_fewer: bool
) -> None:
    found = result(clip("no no no", kind="hum"), ours, theirs)

    assert fewer([found]) == ([found] if is_fewer else [])


def test_table_has_a_row_for_each_voice_and_word() -> None:
    said = [clip("no no", kind="hum"), clip("no", kind="hum"), clip("one one", kind="hum")]
    results = [
        result(said[0], "No.", "No, no."),
        result(said[1], "No", ""),
        result(said[2], "1, 1", "1"),
    ]

    lines = repetition(results).splitlines()

    assert lines[-2:] == [
        "| hum | no | 2 1 | 1 1 | 2 0 | 1 | 1 | 1 |",
        "| hum | one | 2 | 2 | 1 | 1 | 0 | 0 |",
    ]
