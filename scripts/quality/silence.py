"""Tables of clips without speech."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.quality.answer import Answer, Result
from scripts.quality.groups import Group, Side, by_kind, ours, reference
from scripts.quality.markdown import section, table

_SHOWN = 120


def silence(results: Sequence[Result], *, with_reference: bool) -> str:
    """The section of clips without speech; empty if there are none."""
    silent = [result for result in results if not result.clip.is_speech]
    if not silent:
        return ""
    sides = {"ours": ours} | ({"openai-whisper": reference} if with_reference else {})
    groups = [Group(("all",), tuple(silent)), *by_kind(silent)]
    counts = [
        [*group.name, str(len(group.results)), *(str(_empty(group, s)) for s in sides.values())]
        for group in groups
    ]
    parts = ["How many of them have an empty text:", table(["", "clips", *sides], counts)]
    said = [
        [result.clip.path.name, *(_text(side(result)) for side in sides.values())]
        for result in silent
        if any(_text(side(result)) for side in sides.values())
    ]
    if said:
        parts += ["What the others say:", table(["clip", *sides], said, texts=1 + len(sides))]
    return section("Clips without speech", *parts)


def _empty(group: Group, side: Side) -> int:
    return sum(not _text(side(result)) for result in group.results)


def _text(answer: Answer | None) -> str:
    text = answer.text if answer else ""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
