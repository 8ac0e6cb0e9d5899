"""Tables of word error rates, and of what the quality checks cost."""

from __future__ import annotations

from collections.abc import Sequence

from models.text.words import UNSPACED
from scripts.quality.answer import Result
from scripts.quality.groups import (
    Group,
    by_language_and_kind,
    ours,
    reference,
    speech,
    sums,
    unguarded,
)
from scripts.quality.markdown import difference, percent, section, table

_COUNTED = (
    "Errors in percent of the words said; of the letters for languages without spaces between "
    f"words ({', '.join(UNSPACED)}), Korean by words. The language is told. Texts are normalised "
    "by `whisper.normalizers`. A negative difference is for ours."
)
_LOST = (
    "Words left out, in percent of the words said: ours with the guards that drop text or decode "
    "it again, and without. The difference is what they lost; a negative one, what they found."
)


def error_rates(results: Sequence[Result], *, with_reference: bool) -> str:
    """The section of error rates; empty without speech."""
    spoken = speech(results)
    if not spoken:
        return ""
    heads = ["clips", "minutes", "words", *_sides(with_reference)]

    def rows(groups: Sequence[Group]) -> list[list[str]]:
        return [[*group.name, *_cells(group, with_reference)] for group in groups]

    together = table(["", *heads], rows(sums(spoken)))
    apart = table(["language", "kind", *heads], rows(by_language_and_kind(spoken)), texts=2)
    return section("Error rates", _COUNTED, together, apart)


def lost_words(results: Sequence[Result], *, with_reference: bool) -> str:
    """The section of words that the guards lost; empty without speech."""
    spoken = speech(results)
    if not spoken:
        return ""
    head = ["", "words", "ours", "without guards", "lost"]
    head += ["openai-whisper"] if with_reference else []
    rows = []
    for group in sums(spoken):
        kept, all_kept = group.errors(ours), group.errors(unguarded)
        rates = [kept.deletion_rate, all_kept.deletion_rate]
        row = [*group.name, str(kept.words), *map(percent, rates), difference(*rates)]
        row += [percent(group.errors(reference).deletion_rate)] if with_reference else []
        rows.append(row)
    return section("Spoken words lost", _LOST, table(head, rows))


def _sides(with_reference: bool) -> list[str]:
    return ["ours", "openai-whisper", "difference"] if with_reference else ["ours"]


def _cells(group: Group, with_reference: bool) -> list[str]:
    errors, theirs = group.errors(ours), group.errors(reference).rate
    known = [str(len(group.results)), f"{group.minutes:.1f}", str(errors.words)]
    rates = [percent(errors.rate)]
    rates += [percent(theirs), difference(errors.rate, theirs)] if with_reference else []
    return known + rates
