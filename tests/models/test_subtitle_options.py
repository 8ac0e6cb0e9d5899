"""Bounds of `SubtitleOptions`."""

from __future__ import annotations

import math

import pytest

from models.errors import OptionError
from models.subtitle_options import SubtitleOptions


@pytest.mark.parametrize(
    ("option", "value", "bounds"),
    [
        ("max_line_width", 0, "1..1000"),
        ("max_line_width", 1_001, "1..1000"),
        ("max_line_count", 0, "1..100"),
        ("max_line_count", 101, "1..100"),
        ("max_words_per_line", -1, "1..1000"),
        ("max_words_per_line", 1_001, "1..1000"),
        ("min_cue_duration", -0.5, "0..60"),
        ("min_cue_duration", math.nan, "0..60"),
        ("max_cue_duration", 0.05, "0.1..3600"),
        ("max_cue_duration", math.inf, "0.1..3600"),
        ("max_cue_duration", math.nan, "0.1..3600"),
    ],
)
def test_option_out_of_bounds(option: str, value: float, bounds: str) -> None:
    with pytest.raises(OptionError) as caught:
        SubtitleOptions(**{option: value})  # type: ignore[arg-type]
    assert caught.value.option == option
    assert caught.value.message == f"{option} must lie in {bounds}, not {value:g}."


def test_shortest_above_longest() -> None:
    with pytest.raises(OptionError) as caught:
        SubtitleOptions(min_cue_duration=3.0, max_cue_duration=2.5)
    assert caught.value.option == "min_cue_duration"
    assert caught.value.message == "min_cue_duration must not exceed max_cue_duration: 3 > 2.5."


def test_bounds_are_allowed() -> None:
    assert SubtitleOptions(1, 1, 1, 0.0, 0.1) != SubtitleOptions(1_000, 100, 1_000, 60, 3_600)
    assert SubtitleOptions(min_cue_duration=2.0, max_cue_duration=2.0).max_cue_duration == 2.0
