"""Subtitle files: SubRip and WebVTT as OpenAI's hosted API writes them, tsv and txt."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from models.text.subtitles.cues import Cue
from models.text.transcript import Segment


def srt(cues: Iterable[Cue]) -> str:
    """SubRip text, ending in a blank line; empty when nothing was said."""
    return "".join(
        f"{number}\n{_timing(cue, ',')}\n{_text(cue)}\n\n"
        for number, cue in enumerate(cues, start=1)
    )


def vtt(cues: Iterable[Cue], *, hours: bool = True) -> str:
    """WebVTT text, ending in a blank line; only the header when nothing was said.

    Without `hours`, times have those only from the first hour on, as openai-whisper writes them.
    """
    written = (f"{_timing(cue, '.', hours=hours)}\n{_escaped(_text(cue))}\n\n" for cue in cues)
    return "WEBVTT\n\n" + "".join(written)


def tsv(cues: Iterable[Cue]) -> str:
    """Lines of start and end in milliseconds and text, as openai-whisper writes them."""
    rows = (
        f"{cue.times.start}\t{cue.times.end}\t{' '.join(cue.lines).replace(chr(9), ' ')}\n"
        for cue in cues
    )
    return "start\tend\ttext\n" + "".join(rows)


def txt(segments: Iterable[Segment]) -> str:
    """A line a segment that says something, as openai-whisper writes them."""
    texts = (" ".join(segment.text.split("\n")).strip() for segment in segments)
    return "".join(f"{text}\n" for text in texts if text)


def _text(cue: Cue) -> str:
    # An arrow in it would start another cue.
    return "\n".join(re.sub("--+>", "->", line) for line in cue.lines)


def _escaped(text: str) -> str:
    # What follows a `<` is a tag and not shown. An `&` is shown unless it begins a reference.
    if html.unescape(text) != text:
        text = text.replace("&", "&amp;")
    return text.replace("<", "&lt;")


def _timing(cue: Cue, decimal_mark: str, *, hours: bool = True) -> str:
    start, end = (_timestamp(time, decimal_mark) for time in (cue.times.start, cue.times.end))
    if hours:
        return f"{start} --> {end}"
    return f"{start.removeprefix('00:')} --> {end.removeprefix('00:')}"


def _timestamp(milliseconds: int, decimal_mark: str) -> str:
    rest, milliseconds = divmod(milliseconds, 1000)
    rest, second = divmod(rest, 60)
    hour, minute = divmod(rest, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}{decimal_mark}{milliseconds:03d}"
