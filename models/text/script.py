"""Script normalization: one script for a language that is written in two."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from models.language.languages import Script
from models.text import chinese, serbian
from models.text.transcript import Segment, TokenScore, Word
from models.text.words import characters


@dataclass(frozen=True)
class _Writing:
    """The scripts of a language: the `pair` that characters tell apart, and all to be asked for."""

    pair: tuple[Script, Script]
    scripts: frozenset[Script]
    marks: Callable[[str], tuple[int, int]]
    converted: Callable[[str, Script], list[str]]


_CHINESE = _Writing(
    ("Hans", "Hant"),
    frozenset({"Hans", "Hant", "Hant-TW", "Hant-HK"}),
    chinese.marks,
    chinese.converted,
)
_SERBIAN = _Writing(("Latn", "Cyrl"), frozenset({"Latn", "Cyrl"}), serbian.marks, serbian.converted)
_WRITINGS = {"zh": _CHINESE, "yue": _CHINESE, "sr": _SERBIAN}


class ScriptNormalizer:
    """Writes the segments of a recording in one script for each language.

    That is the one of `asked`; else the one that most of the text known so far is in. Text of other
    languages stays as it is, and so do names and words of others within a text.
    """

    def __init__(self, asked: Sequence[Script] = ()) -> None:
        self._asked = asked
        self._known: dict[_Writing, Script] = {}

    @property
    def chosen(self) -> Collection[Script]:
        """The scripts that texts have settled, in the order of their choice."""
        return tuple(self._known.values())

    def copy(self) -> ScriptNormalizer:
        """One that is asked for the same and knows the same; what it settles is its own."""
        copied = ScriptNormalizer(self._asked)
        copied._known = dict(self._known)
        return copied

    def applies_to(self, segment: Segment) -> bool:
        """True for a segment in a language of several scripts."""
        return segment.language in _WRITINGS

    def settle(self, segments: Iterable[Segment]) -> None:
        """Choose the script of each language that has none yet, by these segments together."""
        self.settle_texts((segment.language or "", segment.text) for segment in segments)

    def settle_texts(self, said: Iterable[tuple[str, str]]) -> None:
        """The same by languages and their texts."""
        texts: dict[_Writing, list[str]] = {}
        for language, text in said:
            if writing := _WRITINGS.get(language):
                texts.setdefault(writing, []).append(text)
        for writing, own in texts.items():
            if writing not in self._known and (script := _majority(writing, own)):
                self._known[writing] = script

    def normalized_together(self, segments: Sequence[Segment]) -> list[Segment]:
        """All segments of a recording in the script, which they settle together."""
        self.settle(segments)
        return [self.normalized(segment) for segment in segments]

    def normalized(self, segment: Segment) -> Segment:
        """A segment in the script, which it settles if no other has."""
        writing = _WRITINGS.get(segment.language or "")
        if writing is None:
            return segment
        asked = writing.scripts.intersection(self._asked)
        if len(asked) == 1:
            return _rewritten(segment, writing, *asked)
        self.settle([segment])
        script = self._known.get(writing)
        if script is None or not _has_other(writing, segment.text, script):
            return segment
        return _rewritten(segment, writing, script)


def _majority(writing: _Writing, texts: Sequence[str]) -> Script | None:
    """The script of most of the characters that tell one, of as many the first; None: none does."""
    marks = [writing.marks(text) for text in texts]
    first, second = (sum(each) for each in zip(*marks, strict=True))
    if first == second:
        first, second = next((each for each in marks if each[0] != each[1]), (0, 0))
    if first == second:
        return None
    return writing.pair[first < second]


def _has_other(writing: _Writing, text: str, script: Script) -> bool:
    return writing.marks(text)[script == writing.pair[0]] > 0


def _rewritten(segment: Segment, writing: _Writing, script: Script) -> Segment:
    pieces = writing.converted(segment.text, script)
    text = "".join(pieces)
    if text == segment.text:
        return segment
    words = tuple(_words(segment.words, pieces))
    if "".join(word.text for word in segment.words) != segment.text:
        own = ("".join(writing.converted(word.text, script)) for word in segment.words)
        words = tuple(replace(word, text=new) for word, new in zip(segment.words, own, strict=True))
    return replace(
        segment, text=text, words=words, scores=tuple(_scores(segment.scores, segment.text, pieces))
    )


def _words(words: Sequence[Word], pieces: Sequence[str]) -> Iterator[Word]:
    """The words with what became of their characters."""
    start = 0
    for word, end in zip(words, accumulate(len(word.text) for word in words), strict=True):
        yield replace(word, text="".join(pieces[start:end]))
        start = end


def _scores(scores: Sequence[TokenScore], text: str, pieces: Sequence[str]) -> Iterator[TokenScore]:
    """The tokens with the bytes of what became of their characters, of which they may have a part.

    Together they are the text, as before; where they were not, they stay.
    """
    groups = list(characters(scores))
    if "".join(part for part, _ in groups) != text:
        yield from scores
        return
    place = token = 0
    for part, count in groups:
        data = "".join(pieces[place : place + len(part)]).encode()
        for number in range(token, token + count):
            is_last = number == token + count - 1
            own = len(data) if is_last else len(scores[number].data)
            yield replace(scores[number], data=data[:own])
            data = data[own:]
        place, token = place + len(part), token + count
