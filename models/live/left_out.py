"""Left out: speech of a turn that no word of its text covers.

Whisper leaves sentences out now and then, above all those that it has just said. What lies between
the words that it did say shows that.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.live.hypotheses import HeardWord
from models.live.spoken_spans import SpokenSpans
from models.units import SAMPLE_RATE

# Samples of speech that no hesitation has.
MAX_UNCOVERED = 3 * SAMPLE_RATE


def uncovered(
    words: Sequence[HeardWord], speech: SpokenSpans, start: int
) -> tuple[int, int] | None:
    """The first stretch of a turn from `start` to a word whose speech is in none of the words.

    All are places in samples of the turn; None if there is no such word.
    """
    for word in words:
        if speech.between(start, word.start) > MAX_UNCOVERED:
            return start, word.start
        start = max(start, word.end)
    return None
