"""SubRip and WebVTT of cues, as OpenAI's hosted API writes them: hours always."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from models.text.subtitles.cues import Cue


def srt(cues: Iterable[Cue]) -> str:
    """SubRip text, ending in a blank line; empty when nothing was said."""
    return "".join(
        f"{number}\n{_timing(cue, ',')}\n{_text(cue)}\n\n"
        for number, cue in enumerate(cues, start=1)
    )


def vtt(cues: Iterable[Cue]) -> str:
    """WebVTT text, ending in a blank line; only the header when nothing was said."""
    written = (f"{_timing(cue, '.')}\n{_escaped(_text(cue))}\n\n" for cue in cues)
    return "WEBVTT\n\n" + "".join(written)


def _text(cue: Cue) -> str:
    # An arrow in it would start another cue.
    return "\n".join(re.sub("--+>", "->", line) for line in cue.lines)


def _escaped(text: str) -> str:
    # What follows a `<` is a tag and not shown. An `&` is shown unless it begins a reference.
    if html.unescape(text) != text:
        text = text.replace("&", "&amp;")
    return text.replace("<", "&lt;")


def _timing(cue: Cue, decimal_mark: str) -> str:
    start, end = (_timestamp(time, decimal_mark) for time in (cue.times.start, cue.times.end))
    return f"{start} --> {end}"


def _timestamp(milliseconds: int, decimal_mark: str) -> str:
    rest, milliseconds = divmod(milliseconds, 1000)
    rest, second = divmod(rest, 60)
    hour, minute = divmod(rest, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}{decimal_mark}{milliseconds:03d}"
