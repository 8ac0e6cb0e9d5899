"""Line-break units and their times."""

from __future__ import annotations

import pytest

from models.text.subtitles.cue_times import CueTimes
from models.text.subtitles.line_units import Unit, spoken_times, units, width
from models.text.transcript import Segment
from tests.models.text.spoken import segment, spoken


def texts(text: str) -> list[str]:
    """The text's units, a space before those that have one."""
    found = units(segment(0, 1, text), CueTimes(0, 1_000))
    return [" " * unit.is_spaced + unit.text for unit in found]


def times(of: Segment, within: CueTimes | None = None) -> list[tuple[str, int, int]]:
    """The segment's units with their times."""
    found = units(of, within or spoken_times(of))
    return [(unit.text, unit.times.start, unit.times.end) for unit in found]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (" ask  not\n", [" ask", " not"]),
        ("one", [" one"]),
        (" five-year plan", [" five-year", " plan"]),
        ("\u00a0« oui\u202f! »", [" «", " oui\u202f!", " »"]),
        ("日本語。", ["日", "本", "語。"]),
        ("「東京」ですか。", ["「東", "京」", "で", "す", "か。"]),
        ("コーヒーとティッシュ", ["コー", "ヒー", "と", "ティッ", "シュ"]),
        ("私はiPhoneを3月25日に", ["私", "は", "iPhone", "を", "3月", "25日", "に"]),
        (" 안녕 여러분", [" 안녕", " 여러분"]),
        ("ใน ภาษา", ["ใน", " ภา", "ษา"]),
        ("か\u3099き", ["か\u3099", "き"]),
        ("😀👍🏽 ok", [" 😀👍🏽", " ok"]),
        (" \u00a0 ", []),
    ],
)
def test_units(text: str, parts: list[str]) -> None:
    assert texts(text) == parts


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Americans,", 10),
        ("naïve", 5),
        ("nai\u0308ve", 5),
        ("日本ｱ", 5),
        ("สวัสดี", 4),
        ("a\u200bb", 2),
        ("안녕", 4),
        ("\u110b\u1161\u11ab", 2),
        ("हिन्दी", 4),
        ("👩\u200d👩\u200d👧", 2),
        ("👍🏽", 2),
        ("☎\ufe0f", 2),
        ("🇩🇪", 2),
        ("a\x00\tb", 2),
        ("", 0),
    ],
)
def test_width(text: str, places: int) -> None:
    assert width(text) == places


def test_units_take_the_times_of_their_words() -> None:
    words = spoken((" And", 0.5, 0.75), (" so", 1.0, 1.5), (",", 1.5, 1.5), (" my", 2.0, 2.25))
    assert times(words) == [("And", 500, 750), ("so,", 1_000, 1_500), ("my", 2_000, 2_250)]


def test_units_pass_over_words_without_text() -> None:
    words = spoken(("", 0.0, 0.5), (" a", 1.0, 1.5), (" ", 1.5, 2.0), ("b", 3.0, 3.5))
    assert times(words) == [("a", 1_000, 1_500), ("b", 3_000, 3_500)]


def test_units_share_the_time_of_a_word() -> None:
    assert times(spoken(("東京", 1.0, 2.0), ("都", 2.5, 3.0))) == [
        ("東", 1_000, 1_500),
        ("京", 1_500, 2_000),
        ("都", 2_500, 3_000),
    ]


def test_units_without_words_share_the_time_by_characters() -> None:
    assert times(segment(1.0, 2.0, " four of ")) == [("four", 1_000, 1_571), ("of", 1_714, 2_000)]


def test_units_do_not_go_back_and_stay_within() -> None:
    words = spoken((" a", 1.0, 3.0), (" b", 0.5, 2.0), (" c", 3.5, 9.0), (" d", 9.0, 9.5))
    assert times(words, CueTimes(0, 4_000)) == [
        ("a", 1_000, 3_000),
        ("b", 1_000, 3_000),
        ("c", 3_500, 4_000),
        ("d", 4_000, 4_000),
    ]


def test_said() -> None:
    assert spoken_times(segment(1.0, 2.5, " a")) == CueTimes(1_000, 2_500)
    assert spoken_times(spoken((" a", 1.0, 3.0), (" b", 2.0, 2.5))) == CueTimes(1_000, 3_000)


def test_unit_has_its_width() -> None:
    assert units(segment(0, 1, " 東 x"), CueTimes(0, 1_000)) == (
        Unit("東", 2, True, CueTimes(0, 333)),
        Unit("x", 1, True, CueTimes(666, 1_000)),
    )
