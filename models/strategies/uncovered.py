"""Speech that the voice detector hears, and that the text of its window leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from models.text.edges import SpeechBetween

Span = tuple[float, float]

# Seconds of speech without text that cannot be a breath, or timestamps that are not exact.
LEAST = 1.0


def uncovered(
    told: Sequence[Span], start: float, end: float, speech: SpeechBetween, *, is_cut_off: bool
) -> Iterator[Span]:
    """Where there is much speech before, between and behind what is `told`; all in seconds.

    Whisper jumps over sentences, over soft ones beside loud ones above all. A text that is cut off
    in its last sentence leaves out any speech behind it. Without any text there is nothing that
    tells where to go on.
    """
    if not told or told[-1][1] <= told[0][0]:
        return
    edges = [(start, start), *told, (end, end)]
    *gaps, rest = [(before[1], after[0]) for before, after in pairwise(edges)]
    yield from (gap for gap in gaps if speech(*gap) > LEAST)
    if speech(*rest) > (0 if is_cut_off else LEAST):
        yield rest
