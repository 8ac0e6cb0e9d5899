"""The table of ours beside ours in float32."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import pytest

from scripts.quality.against_float32 import against_float32
from scripts.quality.answer import Result, answer
from scripts.quality.report import report
from tests.scripts.quality.answers import clip, result
from tests.scripts.quality.test_wer_tables import rows

pytestmark = pytest.mark.skipif(find_spec("jiwer") is None, reason="the bench extra is missing")


def beside(language: str, ours: str, exact: str) -> Result:
    spoken = clip(language=language)
    return replace(result(spoken, ours), exact=answer(spoken, exact, None, ()))


def test_table_has_every_language_with_the_difference_and_its_interval() -> None:
    results = [
        beside("en", "sun moon sea sky", "Sun, moon, sea, sky."),
        beside("it", "sun moon sea", "sun moon sea sky"),
        beside("it", "sun moon sea", "sun moon sea sky"),
    ]
    assert rows(against_float32(results)) == [
        ["all", "3", "12", "16.67", "0.00", "+16.67 [+0.00, +25.00]", "2"],
        ["English", "1", "4", "0.00", "0.00", "+0.00 [+0.00, +0.00]", "0"],
        ["other languages", "2", "8", "25.00", "0.00", "+25.00 [+25.00, +25.00]", "2"],
        ["en", "1", "4", "0.00", "0.00", "+0.00 [+0.00, +0.00]", "0"],
        ["it", "2", "8", "25.00", "0.00", "+25.00 [+25.00, +25.00]", "2"],
    ]


def test_report_has_the_table_only_where_float32_was_asked_for() -> None:
    spoken = beside("it", "sun moon sea", "sun moon sea sky")
    assert "Ours against float32" in report([spoken], with_reference=False)
    assert "float32" not in report([replace(spoken, exact=None)], with_reference=False)
