"""Which words of two texts differ."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cli.comparison.alignment import opcodes
from cli.comparison.difference import Difference

# Scripts without spaces have a word a character.
_ALONE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_ALONE}]|[^\s{_ALONE}]+")
_EXAMPLES = 5

Change = tuple[int, int, int, int]


def text_differences(where: str, here: str, against: str) -> list[Difference]:
    """A difference of kind `text` where words differ, of kind `spacing` where only spaces do."""
    if here == against:
        return []
    ours, theirs = _WORD.findall(here), _WORD.findall(against)
    changes = changed(ours, theirs)
    if not changes:
        return [Difference("spacing", where, *_around(here, against))]
    examples = changes[:_EXAMPLES]
    return [
        Difference(
            "text",
            where,
            [" ".join(ours[begin:end]) for begin, end, _, _ in examples],
            [" ".join(theirs[begin:end]) for _, _, begin, end in examples],
            {
                "differing": _count(changes),
                "words": max(len(ours), len(theirs)),
                "beyond_punctuation": _count(changed(bare_words(ours), bare_words(theirs))),
            },
        )
    ]


def bare_words(words: Sequence[str]) -> list[str]:
    """Words without capitals and punctuation; what has nothing else is gone."""
    bare = (re.sub(r"[^\w]", "", word).casefold() for word in words)
    return [word for word in bare if word]


def changed(ours: Sequence[str], theirs: Sequence[str]) -> list[Change]:
    """The stretches that differ: from and to, in the one and in the other."""
    codes = opcodes(ours, theirs)
    return [(begin, end, first, last) for kind, begin, end, first, last in codes if kind != "equal"]


def _count(changes: Sequence[Change]) -> int:
    return sum(max(end - begin, last - first) for begin, end, first, last in changes)


def _around(here: str, against: str) -> tuple[str, str]:
    """Both from a little before where they part."""
    same = next(
        (at for at, (a, b) in enumerate(zip(here, against, strict=False)) if a != b),
        min(len(here), len(against)),
    )
    begin = max(same - 10, 0)
    return here[begin : same + 20], against[begin : same + 20]
