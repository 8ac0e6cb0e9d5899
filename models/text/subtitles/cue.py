"""Subtitle cue: lines of text, and when they are shown."""

from __future__ import annotations

from dataclasses import dataclass

from models.text.subtitles.cue_times import CueTimes


@dataclass(frozen=True)
class Underline:
    """Characters of a line, from `start` up to `end`."""

    line: int
    start: int
    end: int


@dataclass(frozen=True)
class Cue:
    """Lines of text, none of them blank, and when they are shown; perhaps a word is underlined."""

    times: CueTimes
    lines: tuple[str, ...]
    underline: Underline | None = None
