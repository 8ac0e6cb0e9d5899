"""Boundary error: the distance of found word times from exact ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

import numpy as np

from models.text.transcript import Word
from scripts.quality.spoken import Spoken
from scripts.quality.words import Words

# Nothing but what is heard of a word is compared.
_UNHEARD = re.compile(r"[^\w']|_")
# Seconds: by how much both ends of a word may be wrong to count as found.
_COLLAR = 0.2
# Of less than that a gap between words is no pause; seconds.
_MIN_PAUSE = 0.05


@dataclass
class Errors:
    """Found minus true times of the words that were understood, in seconds.

    `shares` are their intersections over unions; of the `told` words `found` ones were written.
    `inner` are the errors of starts that follow the word before without a pause.
    """

    told: int = 0
    found: int = 0
    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    inner: list[float] = field(default_factory=list)

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.told + other.told,
            self.found + other.found,
            self.starts + other.starts,
            self.ends + other.ends,
            self.shares + other.shares,
            self.inner + other.inner,
        )

    def figures(self) -> dict[str, float]:
        """Figures of them: times in milliseconds, shares in percent."""
        if not self.starts:
            return {"told": self.told, "matched": 0}
        starts, ends = (1000 * np.array(side) for side in (self.starts, self.ends))
        both = np.abs(np.concatenate([starts, ends]))
        near = sum(max(abs(a), abs(b)) <= 1000 * _COLLAR for a, b in zip(starts, ends, strict=True))
        return {
            "told": self.told,
            "matched": len(starts),
            "mean": float(both.mean()),
            **{f"start {name}": value for name, value in _side(starts).items()},
            **{f"end {name}": value for name, value in _side(ends).items()},
            "intersection over union": 100 * float(np.mean(self.shares)),
            "F1 at 200 ms": 100 * 2 * near / (self.told + self.found),
        }

    def lead(self) -> float | None:
        """By how many seconds starts without a pause before them are early, in the middle."""
        return -float(np.median(self.inner)) if self.inner else None


def _side(errors: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[str, float]:
    size = np.abs(errors)
    return {
        "bias": float(np.median(errors)),
        "mean": float(size.mean()),
        "median": float(np.median(size)),
        "90 %": float(np.quantile(size, 0.9)),
        "within 50": 100 * float((size <= 50).mean()),
        "within 100": 100 * float((size <= 100).mean()),
    }


def errors_of(listen: Words, spoken: Sequence[Spoken]) -> Errors:
    """Those of one side over some recordings."""
    each = [between(listen(one.samples, one.language), one.words) for one in spoken]
    return sum(each, Errors())


def between(found: Sequence[Word], true: Sequence[Word]) -> Errors:
    """For the words that are in both, in the same order."""
    own, other = ([_UNHEARD.sub("", word.text.lower()) for word in side] for side in (found, true))
    blocks = SequenceMatcher(None, own, other, autojunk=False).get_matching_blocks()
    errors = Errors(len(true), len(found))
    for block in blocks:
        for n in range(block.size):
            place = block.b + n
            before = true[place - 1].end if place else float("-inf")
            _add(errors, found[block.a + n], true[place], before)
    return errors


def _add(errors: Errors, found: Word, true: Word, before: float) -> None:
    start, end = found.start - true.start, found.end - true.end
    errors.starts.append(start)
    errors.ends.append(end)
    if true.start - before < _MIN_PAUSE:
        errors.inner.append(start)
    common = min(found.end, true.end) - max(found.start, true.start)
    whole = max(found.end, true.end) - min(found.start, true.start)
    errors.shares.append(max(0.0, common) / whole if whole > 0 else 0.0)
