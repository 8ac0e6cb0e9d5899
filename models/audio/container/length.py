"""Estimated length of a recording, before it is read."""

from __future__ import annotations

from typing import BinaryIO

from models.audio.container.joined_files import recordings
from models.audio.container.truncation import stated_seconds
from models.errors import AudioError

# Compressed speech in common qualities: 128 kbit/s; and sound of the highest: 48 kHz, stereo.
_BYTES_PER_SECOND, _MAX_PER_SECOND = 16_000, 384_000


def estimated_seconds(file: BinaryIO) -> float:
    """The seconds that headers state, or that a file of this size usually has; left at its start.

    A header that states less than a file of this size can hold does not count: others follow it.
    """
    size = file.seek(0, 2)
    seconds, stated = _by_sections(file, size), stated_seconds(file)
    file.seek(0)
    if seconds is not None:
        return seconds
    return size / _BYTES_PER_SECOND if stated is None else max(stated, size / _MAX_PER_SECOND)


def _by_sections(file: BinaryIO, size: int) -> float | None:
    """Of all recordings in a row, each by its own rate; None: it is of no such format."""
    seconds, rate, position = 0.0, 0.0, 0
    try:
        for recording in recordings(file, quick=True):
            rate = recording.section.bytes_per_second or _BYTES_PER_SECOND
            seconds += sum(max(0, min(end, size) - start) for start, end in recording.ranges) / rate
            position = recording.following
    except AudioError:  # of the rest only its size is known
        seconds += (size - position) / (rate or _BYTES_PER_SECOND)
    return seconds if position else None
