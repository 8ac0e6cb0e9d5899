"""Table of language detection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from scripts.quality.answer import DETECTION_SECONDS, Result
from scripts.quality.groups import Group, Side, by_language, ours, reference
from scripts.quality.markdown import difference, percent, section, table

_ASKED = (
    f"Clips of at least {DETECTION_SECONDS:g} s for which the right language was detected, in "
    "percent, and the wrong ones with their number. openai-whisper listens to the first 30 s."
)


def detection(results: Sequence[Result], *, with_reference: bool) -> str:
    """The section of detected languages; empty where none was asked for."""
    asked = [result for result in results if result.ours.language]
    if not asked:
        return ""
    groups = [Group(("all",), tuple(asked)), *by_language(asked)]
    head = ["language", "clips", "ours", "instead"]
    head += ["openai-whisper", "instead", "difference"] if with_reference else []
    return section(
        "Language detection", _ASKED, table(head, [_row(g, with_reference) for g in groups])
    )


def confusions(group: Group, side: Side) -> Counter[str]:
    """The languages detected instead of the right ones."""
    return Counter(
        answer.language
        for result in group.results
        if (answer := side(result)) and answer.language and answer.language != result.clip.language
    )


def _row(group: Group, with_reference: bool) -> list[str]:
    own = _accuracy(group, ours)
    row = [*group.name, str(len(group.results)), percent(own), _named(confusions(group, ours))]
    if with_reference:
        theirs = _accuracy(group, reference)
        wrong = _named(confusions(group, reference))
        row += [percent(theirs), wrong, difference(own, theirs)]
    return row


def _accuracy(group: Group, side: Side) -> float:
    count = len(group.results)
    return 100.0 * (count - confusions(group, side).total()) / count


def _named(wrong: Counter[str]) -> str:
    return ", ".join(f"{language} {count}" for language, count in wrong.most_common()) or "-"
