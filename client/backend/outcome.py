"""Outcome of a recording: done, skipped or failed, with its text or error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from client.backend.request import Recording

Status = Literal["done", "skipped", "failed"]


@dataclass(frozen=True)
class Outcome:
    """The end of a recording.

    `seconds` are from its first request to its files; `rtfx` is seconds of audio per second of
    that, where the length of the audio is known, and not for the result of a job. `printed` is what
    goes to standard output.
    """

    recording: Recording
    status: Status
    text: str = ""
    printed: str = ""
    error: str = ""
    seconds: float = 0.0
    rtfx: float | None = None
