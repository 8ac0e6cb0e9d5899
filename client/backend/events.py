"""Events of a recording on its way to its transcript."""

from __future__ import annotations

from dataclasses import dataclass

from client.backend.transcript import Transcript


@dataclass(frozen=True)
class Waiting:
    """The server is busy or failed; it is asked again in so many seconds."""

    seconds: float
    reason: str


@dataclass(frozen=True)
class Progress:
    """How far a recording is, in seconds of audio.

    `position` is its place in the server's queue: 0 does not wait. `seconds_left` are those until
    its turn or, once it is worked on, until its end; None: not known.
    """

    position: int
    done: float
    total: float
    seconds_left: float | None


@dataclass(frozen=True)
class Finished:
    """The last event: the transcript."""

    transcript: Transcript


Event = Waiting | Progress | Finished
