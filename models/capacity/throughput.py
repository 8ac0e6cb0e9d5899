"""Throughput in audio seconds per second, as an exponential moving average."""

from __future__ import annotations

from collections.abc import Callable

# What `base` does on two cores: slower than most, so that who is told when to come again comes
# late rather than in vain.
FIRST_RATE = 10.0
# As if it had been seen for so long.
FIRST_SECONDS = 10.0
# Seconds of work after which what was seen counts half: some recordings take minutes.
HALF_LIFE = 300.0


class Throughput:
    """Measured from one finished recording to the next, by a `clock` in seconds.

    Time without work does not count, and the weight of the rest halves every `HALF_LIFE` seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._audio, self._time = FIRST_RATE * FIRST_SECONDS, FIRST_SECONDS
        self._since = clock()

    @property
    def rate(self) -> float:
        """Audio seconds per second; above 0."""
        return self._audio / self._time

    def begin(self) -> None:
        """Begin to measure: there was no work until now."""
        self._since = self._clock()

    def finish(self, seconds: float) -> None:
        """Note a finished recording of so many seconds."""
        now = self._clock()
        took = now - self._since
        kept = 0.5 ** (took / HALF_LIFE)
        self._audio = self._audio * kept + seconds
        self._time = self._time * kept + took
        self._since = now
