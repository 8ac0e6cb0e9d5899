"""Progress in lines, for logs and scripts."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from client.backend.events import Event
from client.backend.outcome import Outcome
from client.backend.request import Recording
from client.terminal.tally import Tally
from client.terminal.wording import STARTED, failure, shown, state

EVERY_SECONDS = 5.0
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


class ErrorLines:
    """A line for each recording that failed, red on a terminal, and nothing else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.flush()

    def start(self, recording: Recording) -> None:
        """Nothing is shown."""

    def follow(self, recording: Recording, event: Event) -> None:
        """Nothing is shown."""

    def end(self, outcome: Outcome) -> None:
        """A line if it failed."""
        if outcome.status == "failed":
            print_error(self._stream, failure(outcome))

    def tell(self, line: str) -> None:
        """Nothing is shown."""


class PlainLines(ErrorLines):
    """In addition a line every five seconds at most: how many are done, and where one is."""

    def __init__(
        self, stream: TextIO, tally: Tally, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(stream)
        self._tally, self._clock = tally, clock
        self._last = clock()
        self._running: dict[Recording, str] = {}

    def start(self, recording: Recording) -> None:
        """It is one of those that run."""
        self._running[recording] = STARTED
        self._line()

    def follow(self, recording: Recording, event: Event) -> None:
        """It is so far."""
        self._running[recording] = state(event)
        self._line()

    def end(self, outcome: Outcome) -> None:
        """A line if it failed, or if one is due."""
        super().end(outcome)
        self._running.pop(outcome.recording, None)
        self._line()

    def tell(self, line: str) -> None:
        """A line of its own."""
        print(shown(line), file=self._stream, flush=True)

    def _line(self) -> None:
        if self._clock() - self._last < EVERY_SECONDS:
            return
        self._last = self._clock()
        of = "" if self._tally.total is None else f" of {self._tally.total}"
        parts = [f"{self._tally.ended}{of} ended: {self._tally}"]
        parts += [f"{shown(each.name)} {at}" for each, at in list(self._running.items())[:1]]
        print("; ".join(parts), file=self._stream, flush=True)


def print_error(stream: TextIO, line: str) -> None:
    """A line, red on a terminal."""
    text = f"{_RED}{line}{_PLAIN}" if stream.isatty() else line
    print(text, file=stream, flush=True)
