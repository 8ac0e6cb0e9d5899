"""Report of all tables, to be pasted into a document."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.quality.against_float32 import against_float32
from scripts.quality.answer import Result
from scripts.quality.detection import detection
from scripts.quality.error_rates import error_rates, lost_words
from scripts.quality.silence import silence


def report(results: Sequence[Result], *, with_reference: bool) -> str:
    """The sections that have something to say, in Markdown."""
    sections = (
        part(results, with_reference=with_reference)
        for part in (error_rates, lost_words, silence, detection)
    )
    return "\n\n".join(filter(None, (*sections, against_float32(results))))
