"""Line-break units of a segment: its words, or characters where a script puts no spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise, starmap

import wcwidth

from models.text.subtitles.cue_times import CueTimes
from models.text.transcript import Segment

# Between spaces; those that do not break a line are a part of the word.
_WORD = re.compile("\\S+(?:[\u00a0\u2007\u202f]+\\S+)*")
# Thai, Lao, Burmese, Khmer, Chinese and Japanese put no spaces between words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3040-\u30ff\u3100-\u312f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
# A line does not begin with what belongs to the character before: marks, closing punctuation,
# small kana, vowels written behind their consonant. The only spaces in a word do not break it.
_BELONGS_BEFORE = {"Mn", "Mc", "Me", "Cf", "Lm", "Sk", "Pe", "Pf", "Po", "Pd", "Zs"}
_NEVER_FIRST = set("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶะาำๅຯະາຳ")
# Nor does it end with what belongs to the next: opening punctuation, digits before their unit,
# vowels written before their consonant, a zero width joiner.
_BELONGS_AFTER = {"Ps", "Pi", "Nd", "Sc", "Zs"}
_NEVER_LAST = set("\"'เแโใไເແໂໃໄ\u200d")


@dataclass(frozen=True)
class Unit:
    """Text that no line break divides, with its times; a space is before it if it `is_spaced`.

    `width` is in columns.
    """

    text: str
    width: int
    is_spaced: bool
    times: CueTimes


def spoken_times(segment: Segment) -> CueTimes:
    """The times of the segment's text: from its first word to its last if they are known."""
    if not segment.words:
        return CueTimes.of(segment.start, segment.end)
    return CueTimes.of(segment.words[0].start, max(word.end for word in segment.words))


def units(segment: Segment, times: CueTimes) -> tuple[Unit, ...]:
    """The segment's units within `times`; without word times each has its share by characters."""
    timed = [(word.text, CueTimes.of(word.start, word.end)) for word in segment.words]
    characters = list(chain.from_iterable(starmap(_characters, timed or [(segment.text, times)])))
    text = "".join(part for part, _ in timed) or segment.text
    found: list[Unit] = []
    start = end = times.start
    for first, after, is_spaced in _cut(text):
        part = text[first:after]
        start = min(max(characters[first][0], start), times.end)
        end = min(max(characters[after - 1][1], end, start), times.end)
        found.append(Unit(part, width(part), is_spaced, CueTimes(start, end)))
    return tuple(found)


def width(text: str) -> int:
    """Columns that the text takes on a screen: none for marks, two for emoji and wide characters.

    By characters as readers see them: a family of emoji joined to one is as wide as one.
    """
    return wcwidth.width(text, control_codes="ignore")


def _characters(text: str, times: CueTimes) -> Iterator[tuple[int, int]]:
    """Start and end of each character, in proportion; spaces at the ends take no time."""
    before, size, whole = len(text) - len(text.lstrip()), len(text.strip()), times.end - times.start
    marks = [times.start + whole * i // max(size, 1) for i in range(size + 1)]
    after = len(text) - before - size
    return pairwise([times.start] * before + marks + [times.end] * after)


def _cut(text: str) -> Iterator[tuple[int, int, bool]]:
    """The start and the end of each unit, and True if a space is before it."""
    for word in _WORD.finditer(text):
        first, is_spaced = word.start(), word.start() > 0 or not _UNSPACED.search(word[0])
        for i in range(first + 1, word.end()):
            if _may_break(text[i - 1], text[i]):
                yield first, i, is_spaced
                first, is_spaced = i, False
        yield first, word.end(), is_spaced


def _may_break(last: str, first: str) -> bool:
    if not (_UNSPACED.match(last) or _UNSPACED.match(first)) or first in _NEVER_FIRST:
        return False
    before, after = unicodedata.category(last), unicodedata.category(first)
    return not (last in _NEVER_LAST or before in _BELONGS_AFTER or after in _BELONGS_BEFORE)
