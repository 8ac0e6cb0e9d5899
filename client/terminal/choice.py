"""The display that suits where a command's output goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TextIO

from client.terminal.display import Display
from client.terminal.plain_lines import ErrorLines, PlainLines
from client.terminal.tally import Tally

Shown = Literal["auto", "bar", "plain", "none"]


def display_of(
    shown: Shown, stream: TextIO, tally: Tally, environ: Mapping[str, str], *, is_mixed: bool
) -> Display:
    """The display; `is_mixed` where other lines are written to the same terminal meanwhile.

    Left to itself it is bars on a terminal that can move its cursor, and lines elsewhere.
    """
    if shown == "none":
        return ErrorLines(stream)
    is_able = _is_able(stream, environ) and not is_mixed
    if shown == "bar" or (shown == "auto" and is_able):
        # rich is imported here only: it takes longer than help may.
        from client.terminal.bars import Bars

        return Bars(stream, tally)
    return PlainLines(stream, tally)


def shows_colors(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether a stream is a terminal that may be sent colours: see https://no-color.org."""
    return _is_able(stream, environ) and not environ.get("NO_COLOR")


def _is_able(stream: TextIO, environ: Mapping[str, str]) -> bool:
    return stream.isatty() and environ.get("TERM") != "dumb"
