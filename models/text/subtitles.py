"""Segments to subtitles, as OpenAI's hosted API writes them: hours always, one cue a segment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from models.text.transcript import Segment


def srt(segments: Iterable[Segment]) -> str:
    """SubRip text, ending in a blank line; empty when nothing was said."""
    return "".join(
        f"{number}\n{_cue(segment, text, ',')}"
        for number, (segment, text) in enumerate(_spoken(segments), start=1)
    )


def vtt(segments: Iterable[Segment]) -> str:
    """WebVTT text, ending in a blank line; only the header when nothing was said."""
    return "WEBVTT\n\n" + "".join(_cue(segment, text, ".") for segment, text in _spoken(segments))


def _spoken(segments: Iterable[Segment]) -> Iterator[tuple[Segment, str]]:
    for segment in segments:
        # A blank line inside would end the cue, an arrow would start another.
        text = " ".join(line.strip() for line in segment.text.splitlines() if line.strip())
        if text:
            yield segment, re.sub("--+>", "->", text)


def _cue(segment: Segment, text: str, decimal_mark: str) -> str:
    start, end = (_timestamp(time, decimal_mark) for time in (segment.start, segment.end))
    return f"{start} --> {end}\n{text}\n\n"


def _timestamp(seconds: float, decimal_mark: str) -> str:
    rest, milliseconds = divmod(round(seconds * 1000), 1000)
    rest, second = divmod(rest, 60)
    hour, minute = divmod(rest, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}{decimal_mark}{milliseconds:03d}"
