"""Highlighted words: a cue in parts, in each of which the word that is said is underlined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.text.subtitles.cue import Cue, Underline
from models.text.subtitles.cue_times import CueTimes
from models.text.subtitles.line_break import joined
from models.text.subtitles.line_units import Unit


def highlighted(times: CueTimes, lines: Sequence[Sequence[Unit]]) -> Iterator[Cue]:
    """A cue of these lines, as openai-whisper's writer divides it with `highlight_words`.

    Between two words it is shown without an underline. A word that takes no time is not underlined.
    """
    text, shown = tuple(map(joined, lines)), times.start
    for number, line in enumerate(lines):
        for place, unit in _placed(line):
            start, end = max(unit.times.start, shown), min(unit.times.end, times.end)
            if start >= end:
                continue
            if start > shown:
                yield Cue(CueTimes(shown, start), text)
            underline = Underline(number, place, place + len(unit.text))
            yield Cue(CueTimes(start, end), text, underline)
            shown = end
    if shown < times.end:
        yield Cue(CueTimes(shown, times.end), text)


def _placed(line: Sequence[Unit]) -> Iterator[tuple[int, Unit]]:
    """The units with the place of each in the line's text."""
    place = 0
    for number, unit in enumerate(line):
        place += unit.is_spaced and number > 0
        yield place, unit
        place += len(unit.text)
