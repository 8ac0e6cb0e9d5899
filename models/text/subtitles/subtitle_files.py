"""Subtitle files: SubRip and WebVTT as OpenAI's hosted API writes them, tsv and txt."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable

from models.text.subtitles.cue import Cue
from models.text.transcript import Segment


def srt(cues: Iterable[Cue]) -> str:
    """SubRip text, ending in a blank line; empty when nothing was said."""
    return "".join(
        f"{number}\n{_timing(cue, ',')}\n{_text(cue, _without_arrows)}\n\n"
        for number, cue in enumerate(cues, start=1)
    )


def vtt(cues: Iterable[Cue], *, hours: bool = True) -> str:
    """WebVTT text, ending in a blank line; only the header when nothing was said.

    Without `hours`, times have those only from the first hour on, as openai-whisper writes them.
    """
    written = (f"{_timing(cue, '.', hours=hours)}\n{_text(cue, _escaped)}\n\n" for cue in cues)
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


def _text(cue: Cue, safe: Callable[[str], str]) -> str:
    """The lines, each as it may stand in the file, and the tags of what is underlined."""
    lines, under = list(map(safe, cue.lines)), cue.underline
    if under:
        line = cue.lines[under.line]
        before, word, after = line[: under.start], line[under.start : under.end], line[under.end :]
        lines[under.line] = f"{safe(before)}<u>{safe(word)}</u>{safe(after)}"
    return "\n".join(lines)


def _without_arrows(text: str) -> str:
    # It would start another cue.
    return re.sub("--+>", "->", text)


def _escaped(text: str) -> str:
    text = _without_arrows(text)
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
