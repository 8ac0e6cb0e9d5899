"""Subtitle files: their cues, and how they are laid out."""

from __future__ import annotations

import re

from cli.comparison.difference import Difference
from cli.comparison.timing import Timed, time_differences
from cli.comparison.wording import text_differences

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMES = re.compile(rf"^{_TIME} *--> *{_TIME}.*$")


def cue_differences(here: str, against: str, tolerance: float) -> list[Difference]:
    """What differs in layout, words and times."""
    ours, theirs = read_cues(here), read_cues(against)
    return [
        *_layout_differences(here, against),
        *text_differences(
            "cues", "\n".join(cue.text for cue in ours), "\n".join(cue.text for cue in theirs)
        ),
        *time_differences("cues", ours, theirs, tolerance),
    ]


def read_cues(text: str) -> list[Timed]:
    """The cues of a SubRip or WebVTT file, as tolerant as players are."""
    cues: list[Timed] = []
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if match := _TIMES.match(line.strip()):
            parts = match.groups()
            said = []
            for following in lines[at + 1 :]:
                if not following.strip():
                    break
                said.append(following.strip())
            cues.append(Timed(_seconds(parts[:4]), _seconds(parts[4:]), " ".join(said)))
    return cues


def _layout_differences(here: str, against: str) -> list[Difference]:
    ours, theirs = _layout(here), _layout(against)
    return [
        Difference("layout", name, ours[name], theirs[name])
        for name in ours
        # What a file without cues has not is told by their number.
        if ours[name] != theirs[name] and None not in (ours[name], theirs[name])
    ]


def _layout(text: str) -> dict[str, object]:
    """What readers that are written by hand may stumble over."""
    lines = text.splitlines()
    timed = [at for at, line in enumerate(lines) if _TIMES.match(line.strip())]
    first = timed[0] if timed else None
    body = text.rstrip("\r\n")
    return {
        "first line": "WEBVTT" if text.startswith("WEBVTT") else "no WEBVTT",
        "times": None if first is None else re.sub(r"\d", "0", lines[first]),
        "numbers": None if first is None else first > 0 and lines[first - 1].strip().isdigit(),
        "line ends": "CRLF" if "\r\n" in text else "LF",
        "line ends at the end": text[len(body) :].count("\n"),
    }


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")
