"""Subtitle options of a request."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import OptionError

# How most subtitles are set; more lines hide the picture.
USUAL_LINES = 2
# Seconds that a cue may begin before its first word: a reader's eye wants it there before the ear
# does. Times from attention alone, which cues had before, are early by about as much.
LEAD_IN = 0.08
# The least and the most of each option.
BOUNDS: dict[str, tuple[float, float]] = {
    "max_line_width": (1, 1_000),
    "max_line_count": (1, 100),
    "max_words_per_line": (1, 1_000),
    "min_cue_duration": (0, 60),
    "max_cue_duration": (0.1, 3_600),
}


@dataclass(frozen=True)
class SubtitleOptions:
    """Limits of cues; None: not asked. With none asked a cue is a segment, in one line.

    With any, a cue lasts from its first word, or up to `LEAD_IN` before it, to its last. Where a
    segment has no word times, its time is shared out in proportion to characters. A line is broken
    between words, or between the characters of a language written without spaces, each of which
    then counts as a word.

    `max_line_width` is in characters as a reader sees them: East Asian wide ones take two places,
    combining ones none. Only a single word may be wider. `max_words_per_line` is what it says.
    `max_line_count` is lines a cue, two if it is not given; where neither of the others limits a
    line, a cue has one. Lines are broken after punctuation and into like lengths where that is
    possible; what does not fit goes into a cue of its own, from its first word on.

    A cue is split, after punctuation or at a pause, before it lasts longer than
    `max_cue_duration` seconds; a single word that does is shown for that long. One shorter than
    `min_cue_duration` is held into the pause after it, or joined with a neighbour if that fits the
    other limits; where neither can be, it stays short.

    `highlight_words` has each word underlined while it is said: a cue becomes several.

    Raises:
        OptionError: a value cannot be served; it names the option.
    """

    max_line_width: int | None = None
    max_line_count: int | None = None
    max_words_per_line: int | None = None
    min_cue_duration: float | None = None
    max_cue_duration: float | None = None
    highlight_words: bool = False

    def __post_init__(self) -> None:
        for name, (minimum, maximum) in BOUNDS.items():
            value = getattr(self, name)
            # `not (least <= x)` also catches NaN
            if value is not None and not minimum <= value <= maximum:
                message = f"{name} must lie in {minimum:g}..{maximum:g}, not {value:g}."
                raise OptionError(name, message)
        shortest, longest = self.min_cue_duration, self.max_cue_duration
        if shortest is not None and longest is not None and shortest > longest:
            raise OptionError(
                "min_cue_duration",
                f"min_cue_duration must not exceed max_cue_duration: {shortest:g} > {longest:g}.",
            )


# Of none of them.
AS_SEGMENTS = SubtitleOptions()
