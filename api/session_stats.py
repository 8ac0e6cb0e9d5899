"""Session stats: the counts of a live session, noted while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class SessionStats:
    """Audio in seconds, and turns that are over; `close_code` is None while it is open."""

    audio_seconds: float = 0.0
    turns: int = 0
    close_code: int | None = None
