"""Boundary errors of synthesized voices, alone and joined, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from scripts.quality.markdown import table
from scripts.quality.spoken import Voice, joined, sentences, spoken_by
from scripts.quality.truth import Errors, errors_of
from scripts.quality.words import Words
from scripts.shared.errors import BenchError

_HEAD = ("voice", "language", "words", "understood")
_COLUMNS = ("mean", "start bias", "end bias", "start within 50", "F1 at 200 ms")


@dataclass(frozen=True)
class Line:
    """A voice, alone or joined, and the errors of each side that has heard it."""

    voice: str
    language: str
    errors: Mapping[str, Errors]

    def row(self) -> list[str]:
        """Its figures, side by side."""
        figures = [each.figures() for each in self.errors.values()]
        cells = [
            f"{figure[name]:.0f}" if name in figure else "-"
            for name in _COLUMNS
            for figure in figures
        ]
        told, matched = figures[0]["told"], figures[0]["matched"]
        return [self.voice, self.language, f"{told:.0f}", f"{matched:.0f}", *cells]


def compare(
    sides: Mapping[str, Words], voices: Sequence[Voice], limit: int | None
) -> Iterator[Line]:
    """Each voice's first `limit` sentences, and a recording joined of them.

    Raises:
        BenchError: a voice says none of its sentences as it is written.
    """
    for voice in voices:
        clips = spoken_by(voice, sentences(voice.language)[:limit])
        if not clips:
            raise BenchError(f"{voice.name} says no sentence as it is written")
        for name, heard in ((voice.name, clips), (f"{voice.name}, joined", [joined(clips)])):
            errors = {side: errors_of(listen, heard) for side, listen in sides.items()}
            yield Line(name, voice.language, errors)


def all_of(lines: Sequence[Line]) -> Line:
    """All lines as one."""
    sides = lines[0].errors
    total = {side: sum((line.errors[side] for line in lines), Errors()) for side in sides}
    return Line("all", "", total)


def as_table(lines: Sequence[Line]) -> str:
    """In Markdown, with all of them together below: milliseconds and percent."""
    names = [f"{name}: {side}" for name in _COLUMNS for side in lines[0].errors]
    return table([*_HEAD, *names], [line.row() for line in (*lines, all_of(lines))], texts=2)


def lead(lines: Sequence[Line], side: str) -> float | None:
    """A checkpoint's attention lead in seconds, from raw times: the middle one of the voices."""
    leads = [found for line in lines if (found := line.errors[side].lead()) is not None]
    return median(leads) if leads else None
