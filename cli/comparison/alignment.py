"""Which stretches of two texts belong together; in seconds for hours of speech, too."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

# Words that are compared as they are; the matcher takes the square of it, or more.
_SHORT = 400
# So many words in a row are hardly said twice in the same way.
_RUN = 4

Code = tuple[str, int, int, int, int]


def opcodes(ours: Sequence[str], theirs: Sequence[str]) -> list[Code]:
    """How one becomes the other, as `difflib` has it: kind, from and to in each.

    Long texts are first cut where both say something that each says once, and what is still long,
    such as a loop, at the same share of both: there a few words too many may count as differing.
    """
    codes: list[Code] = []
    begin = first = 0
    for end, last in _cuts(ours, theirs):
        matcher = SequenceMatcher(None, ours[begin:end], theirs[first:last], autojunk=False)
        codes += (
            (kind, begin + a, begin + b, first + c, first + d)
            for kind, a, b, c, d in matcher.get_opcodes()
        )
        begin, first = end, last
    return codes


def _cuts(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where both are cut, their ends included."""
    ends = (len(ours), len(theirs))
    anchors = _anchors(ours, theirs) if max(ends) > _SHORT else []
    begin = first = 0
    for end, last in [*anchors, ends]:
        parts = -(-max(end - begin, last - first) // _SHORT)
        for part in range(1, parts):
            yield (
                begin + (end - begin) * part // parts,
                first + (last - first) * part // parts,
            )
        yield end, last
        begin, first = end, last


def _anchors(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[int, int]]:
    """Positions of what each says once: as many as are in the same order in both."""
    mine, yours = _said_once(ours), _said_once(theirs)
    pairs = [(at, yours[run]) for run, at in mine.items() if run in yours]
    # The longest increasing subsequence, by the smallest last position of each length.
    lasts: list[int] = []
    longest: list[int] = []
    for _, position in pairs:
        length = bisect_left(lasts, position)
        lasts[length : length + 1] = [position]
        longest.append(length)
    chosen: list[tuple[int, int]] = []
    wanted = len(lasts) - 1
    for pair, length in zip(reversed(pairs), reversed(longest), strict=True):
        if length == wanted and (not chosen or pair[1] < chosen[-1][1]):
            chosen.append(pair)
            wanted -= 1
    return chosen[::-1]


def _said_once(words: Sequence[str]) -> dict[tuple[str, ...], int]:
    runs = [tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)]
    times = Counter(runs)
    return {run: at for at, run in enumerate(runs) if times[run] == 1}
