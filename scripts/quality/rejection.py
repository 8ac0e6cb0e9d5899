"""Table of false rejection: speech that is answered with nothing, or not with all of it."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.quality.answer import Result
from scripts.quality.groups import Group, Side, by_kind, ours, reference, speech, unguarded
from scripts.quality.markdown import difference, percent, section, table

_COUNTED = (
    "Words left out, in percent of those said; *without guards* is ours where nothing is dropped "
    "or decoded again; *empty* are clips of speech that were answered with no text."
)


def rejection(results: Sequence[Result], *, with_reference: bool) -> str:
    """The section of false rejection by kind; empty without speech."""
    spoken = speech(results)
    if not spoken:
        return ""
    head = ["", "clips", "words", "ours", "without guards"]
    head += ["openai-whisper", "difference"] if with_reference else []
    head += ["ours empty", *(["openai-whisper empty"] if with_reference else [])]
    rows = [_row(group, with_reference) for group in by_kind(spoken)]
    return section("Soft and whispered speech", _COUNTED, table(head, rows))


def _row(group: Group, with_reference: bool) -> list[str]:
    errors = group.errors(ours)
    own, theirs = errors.deletion_rate, group.errors(reference).deletion_rate
    cells = [*group.name, str(len(group.results)), str(errors.words), percent(own)]
    cells.append(percent(group.errors(unguarded).deletion_rate))
    if not with_reference:
        return [*cells, str(_empty(group, ours))]
    empty = [str(_empty(group, side)) for side in (ours, reference)]
    return [*cells, percent(theirs), difference(own, theirs), *empty]


def _empty(group: Group, side: Side) -> int:
    answers = map(side, group.results)
    return sum(not answer.text for answer in answers if answer)
