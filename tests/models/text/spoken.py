"""Segments for the tests of subtitles, and the cues made of them."""

from __future__ import annotations

from dataclasses import replace

from models.subtitle_options import AS_SEGMENTS, SubtitleOptions
from models.text.subtitles.cues import cues
from models.text.transcript import Segment, Word


def segment(start: float, end: float, text: str) -> Segment:
    """A segment without word times."""
    return Segment(
        id=0,
        seek=0,
        start=start,
        end=end,
        text=text,
        tokens=(),
        temperature=0.0,
        avg_logprob=-0.2,
        compression_ratio=1.0,
        no_speech_prob=0.0,
    )


def spoken(*words: tuple[str, float, float]) -> Segment:
    """A segment of words, each with its start and end."""
    parts = tuple(Word(text, start, end, 0.5) for text, start, end in words)
    whole = segment(parts[0].start, parts[-1].end, "".join(word.text for word in parts))
    return replace(whole, words=parts)


def made(
    *segments: Segment, options: SubtitleOptions = AS_SEGMENTS, duration: float = 60.0
) -> list[tuple[int, int, str]]:
    """The cues: start, end, and lines with bars between."""
    found = cues(segments, duration, options)
    return [(cue.times.start, cue.times.end, "|".join(cue.lines)) for cue in found]


def even(text: str, start: float = 0.0, seconds: float = 0.5, pause: float = 0.0) -> Segment:
    """A segment of words of the same length, with the same pause after each."""
    words = text.split()
    starts = [start + i * (seconds + pause) for i in range(len(words))]
    return spoken(*((f" {word}", at, at + seconds) for word, at in zip(words, starts, strict=True)))
