"""Table of the cost of number format and padding: ours beside ours in float32."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.quality.answer import Result
from scripts.quality.groups import Group, by_language, exact, ours, sums
from scripts.quality.markdown import percent, section, table
from scripts.quality.paired import paired_difference
from scripts.shared.accuracy import normalised

_COMPARED = (
    "Errors in percent, ours beside ours in float32 with full padding; the difference with its 95 "
    "% interval, a paired bootstrap over clips. *Other text* counts clips whose words differ."
)


def against_float32(results: Sequence[Result]) -> str:
    """The section; empty where float32 was not asked for."""
    asked = [result for result in results if result.exact]
    if not asked:
        return ""
    head = ["", "clips", "words", "ours", "float32", "difference, interval", "other text"]
    return section("Ours against float32", _COMPARED, table(head, _rows(asked)))


def _rows(results: Sequence[Result]) -> list[list[str]]:
    groups = [*sums(results), *by_language(results)]
    return [_row(group) for group in groups]


def _row(group: Group) -> list[str]:
    sides = [(result.ours.errors, result.exact.errors) for result in group.results if result.exact]
    own, theirs = group.errors(ours), group.errors(exact)
    rates = [str(own.words), percent(own.rate), percent(theirs.rate)]
    difference = paired_difference(sides)
    changed = str(sum(map(_has_other_text, group.results)))
    return [*group.name, str(len(sides)), *rates, str(difference or "-"), changed]


def _has_other_text(result: Result) -> bool:
    language = result.clip.language
    return result.exact is not None and (
        normalised(result.ours.text, language) != normalised(result.exact.text, language)
    )
