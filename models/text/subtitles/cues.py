"""Subtitle cues of segments, in lines that can be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from models.subtitle_options import AS_SEGMENTS, SubtitleOptions
from models.text.subtitles.cue import Cue
from models.text.subtitles.cue_builder import CueBuilder, CueDraft
from models.text.subtitles.cue_times import CueTimes, in_order, whole_milliseconds
from models.text.subtitles.highlight import highlighted
from models.text.subtitles.line_break import BreakableText, joined
from models.text.subtitles.line_units import spoken_times, units
from models.text.transcript import Segment


def cues(
    segments: Iterable[Segment], duration: float, options: SubtitleOptions = AS_SEGMENTS
) -> list[Cue]:
    """The segments' text in cues, as `options` say; one a segment where they say nothing.

    The cues are in the order of the text, each lasts a millisecond or longer, none overlaps the
    next, and all end within `duration`, the recording's in seconds: segments whose times are not
    so get others (`models/text/subtitles/cue_times.py`). A segment that says nothing has no cue.
    """
    spoken = [segment for segment in segments if segment.text.strip()]
    length = whole_milliseconds(duration)
    sizes = [len(segment.text) for segment in spoken]
    if options == AS_SEGMENTS:
        times = in_order([CueTimes.of(each.start, each.end) for each in spoken], sizes, length)
        return [Cue(at, (_line(each),)) for at, each in zip(times, spoken, strict=True)]
    times = in_order([spoken_times(segment) for segment in spoken], sizes, length)
    builder = CueBuilder(options)
    drafts = [
        draft
        for segment, at in zip(spoken, times, strict=True)
        for draft in builder.split(units(segment, at))
    ]
    drafts = builder.extended(builder.joined(_sound(drafts, length), length), length)
    return [cue for draft in drafts for cue in _shown(draft, options)]


def _shown(draft: CueDraft, options: SubtitleOptions) -> Iterator[Cue]:
    lines = BreakableText(draft.units, options).lines()
    if options.highlight_words:
        yield from highlighted(draft.times, lines)
    else:
        yield Cue(draft.times, tuple(map(joined, lines)))


def _line(segment: Segment) -> str:
    return " ".join(line.strip() for line in segment.text.splitlines() if line.strip())


def _sound(drafts: Sequence[CueDraft], length: int) -> list[CueDraft]:
    sizes = [sum(len(unit.text) for unit in draft.units) for draft in drafts]
    times = in_order([draft.times for draft in drafts], sizes, length)
    return [replace(draft, times=at) for draft, at in zip(drafts, times, strict=True)]
