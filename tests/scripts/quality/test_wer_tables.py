"""The tables of `scripts.quality.wer`, over results made by hand."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from scripts.quality.answer import Result
from scripts.quality.detection import confusions, detection
from scripts.quality.error_rates import error_rates, lost_words
from scripts.quality.groups import Group, by_language_and_kind, ours, reference, sums
from scripts.quality.markdown import difference, percent, table
from scripts.quality.report import report
from scripts.quality.silence import silence
from tests.scripts.quality.answers import clip, result

pytestmark = pytest.mark.skipif(find_spec("jiwer") is None, reason="the bench extra is missing")

LONG = clip("a b c d e f", "de", "read", 90.0)
NOISY = clip(kind="read, real noise added")
SPOKEN = [
    result(clip(), "sun moon sea", "sun moon sea sky", "sun moon sea sky"),
    result(NOISY, "sun moon", "sun", "sun moon sea"),
    result(LONG, "a b c d e g", "a b c d e f", "a b c d e g"),
]
SILENT = [
    result(clip("", "none", "noise", name="hum.flac"), "", "Thank you | Amen."),
    result(clip("", "none", "music", name="band.flac"), "", ""),
]


def rows(text: str) -> list[list[str]]:
    """The rows of a section's tables, without heads and rules."""
    lines = text.split("\n")
    rules = [number for number, line in enumerate(lines) if line.startswith("| ---")]
    heads = {head for rule in rules for head in (rule - 1, rule)}
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for number, line in enumerate(lines)
        if line.startswith("|") and number not in heads
    ]


def test_groups_are_by_language_and_kind_in_order() -> None:
    groups = by_language_and_kind([*SPOKEN, SPOKEN[0]])
    assert [group.name for group in groups] == [
        ("de", "read"),
        ("en", "read"),
        ("en", "read, real noise added"),
    ]
    assert [len(group.results) for group in groups] == [1, 2, 1]
    assert groups[0].minutes == 1.5


def test_sums_overlap_and_leave_out_what_is_not_there() -> None:
    found = {group.name[0]: len(group.results) for group in sums(SPOKEN)}
    assert found == {"all": 3, "English": 2, "other languages": 1, "over 30 s": 1, "noisy": 1}
    assert [group.name[0] for group in sums(SPOKEN[:1])] == ["all", "English"]


def test_error_rates_of_both_sides_and_their_difference() -> None:
    found = rows(error_rates(SPOKEN, with_reference=True))
    assert found == [
        ["all", "3", "1.7", "14", "28.57", "21.43", "+7.14"],
        ["English", "2", "0.2", "8", "37.50", "37.50", "+0.00"],
        ["other languages", "1", "1.5", "6", "16.67", "0.00", "+16.67"],
        ["over 30 s", "1", "1.5", "6", "16.67", "0.00", "+16.67"],
        ["noisy", "1", "0.1", "4", "50.00", "75.00", "-25.00"],
        ["de", "read", "1", "1.5", "6", "16.67", "0.00", "+16.67"],
        ["en", "read", "1", "0.1", "4", "25.00", "0.00", "+25.00"],
        ["en", "read, real noise added", "1", "0.1", "4", "50.00", "75.00", "-25.00"],
    ]


def test_lost_words_are_those_that_only_the_guards_leave_out() -> None:
    found = rows(lost_words(SPOKEN, with_reference=True))
    assert found[:3] == [
        ["all", "14", "21.43", "7.14", "+14.29", "21.43"],
        ["English", "8", "37.50", "12.50", "+25.00", "37.50"],
        ["other languages", "6", "0.00", "0.00", "+0.00", "0.00"],
    ]


def test_silence_counts_empty_texts_and_shows_the_others() -> None:
    assert rows(silence(SILENT, with_reference=True)) == [
        ["all", "2", "2", "1"],
        ["music", "1", "1", "1"],
        ["noise", "1", "1", "0"],
        ["hum.flac", "", "Thank you \\| Amen."],
    ]


def test_silence_shortens_what_is_said() -> None:
    endless = result(clip("", "none", "noise"), "la " * 100)
    (_, shown) = rows(silence([endless], with_reference=False))[-1]
    assert shown == ("la " * 40)[:120].strip() + " …"


def detected(language: str, own: str, theirs: str) -> Result:
    return result(clip("sonne", language), "", "", detected=(own, theirs))


def test_detection_is_in_percent_of_the_clips_asked_about() -> None:
    results = [
        detected("de", "de", "de"),
        detected("de", "nl", "de"),
        detected("de", "nl", "en"),
        detected("nl", "nl", "nl"),
        result(clip(seconds=2.0), "sun", "sun"),
    ]
    assert confusions(Group(("de",), tuple(results)), ours) == {"nl": 2}
    assert confusions(Group(("de",), tuple(results)), reference) == {"en": 1}
    assert rows(detection(results, with_reference=True)) == [
        ["all", "4", "50.00", "nl 2", "75.00", "en 1", "-25.00"],
        ["de", "3", "33.33", "nl 2", "66.67", "en 1", "-33.33"],
        ["nl", "1", "100.00", "-", "100.00", "-", "+0.00"],
    ]


def test_report_without_reference_has_only_ours() -> None:
    results = [result(clip(), "sun moon", unguarded="sun moon", detected=("en", None))]
    found = report([*results, SILENT[1]], with_reference=False)
    assert [line for line in found.split("\n") if line.startswith("##")] == [
        "## Error rates",
        "## Spoken words lost",
        "## Clips without speech",
        "## Language detection",
    ]
    assert "difference |" not in found
    assert "| openai-whisper" not in found
    assert ["en", "read", "1", "0.1", "4", "50.00"] in rows(found)


def test_report_leaves_out_sections_without_clips() -> None:
    assert report(SILENT, with_reference=True).count("## ") == 1


def test_table_marks_its_columns_and_keeps_a_row_on_a_line() -> None:
    assert table(["a", "b"], [["x|y", "1\n2"]]) == "| a | b |\n| --- | ---: |\n| x\\|y | 1 2 |"


def test_figures_without_value_are_a_dash() -> None:
    assert [percent(None), percent(1.005e2), difference(None, 1.0)] == ["-", "100.50", "-"]
    assert [difference(1.0, 3.5), difference(3.5, 1.0)] == ["-2.50", "+2.50"]
