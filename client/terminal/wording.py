"""Names, times and sums, as a terminal shows them."""

from __future__ import annotations

from client.backend.events import Event, Progress, Waiting
from client.backend.outcome import Outcome

# Before anything is known of it.
STARTED = "started"


def shown(text: str) -> str:
    """The text with what is not printable escaped, so that a name cannot steer a terminal."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


def clock(seconds: float) -> str:
    """Seconds as `1:02:03` or `2:03`."""
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute}:{second:02d}"


def state(event: Event) -> str:
    """Where a recording is, in a few words."""
    match event:
        case Waiting(seconds, reason):
            return f"asks again in {seconds:.0f} s: {shown(reason)}"
        case Progress(position=position) if position:
            return f"number {position} in the queue{_left(event)}"
        case Progress(done=done, total=total) if total:
            return f"{clock(done)} of {clock(total)}{_left(event)}"
    return STARTED


def failure(outcome: Outcome) -> str:
    """The line of a recording that failed."""
    return f"error: {shown(outcome.recording.name)}: {shown(outcome.error)}"


def _left(event: Progress) -> str:
    return "" if event.seconds_left is None else f", {clock(event.seconds_left)} left"
