"""Progress of a run: a bar on a terminal, or a line every so often."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from bulk.result import Result
from bulk.row import Row
from bulk.tally import Tally
from client.terminal.plain_lines import print_error
from client.terminal.wording import clock, shown

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

EVERY_SECONDS = 10.0
# After so many seconds a row that is at work is named.
LONG_SECONDS = 60.0
# Failures that are told, a line each; the parts have all of them.
MAX_LINES = 20


class Lines:
    """A line every ten seconds at most, and one for each of the first failures.

    A stream that fails, such as a terminal that was closed, is no reason to end a run.
    """

    def __init__(
        self, stream: TextIO, tally: Tally, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._tally, self._now = stream, tally, now
        self._last = now()

    def ended(self, result: Result) -> None:
        """A row has a result, which is counted."""
        if line := failure_line(result, self._tally):
            self._failure(line)
        self.remind(None)

    def remind(self, oldest: tuple[Row, float] | None) -> None:
        """Time has passed; `oldest` is the row that is at work for longest, and its seconds."""
        if self._now() - self._last >= EVERY_SECONDS:
            self._last = self._now()
            self.tell(progress_line(self._tally) + _oldest(oldest))

    def tell(self, line: str) -> None:
        """A line beside."""
        with suppress(OSError):
            print(shown(line), file=self._stream, flush=True)

    def close(self) -> None:
        """The end: nothing is left to show."""

    def _failure(self, line: str) -> None:
        with suppress(OSError):
            print_error(self._stream, line)


class Silent(Lines):
    """Failures alone."""

    def tell(self, line: str) -> None:
        """Nothing is shown."""


class Bar(Lines):
    """A bar for all rows, and above it lines."""

    def __init__(self, stream: TextIO, tally: Tally) -> None:
        # Imported here only: it takes longer than help may.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        super().__init__(stream, tally)
        self._progress: Progress = Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}", markup=False),
            console=Console(file=stream),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        total = tally.survey.chosen
        self._task: TaskID = self._progress.add_task("", total=total, state=f"0 of {total}")
        with suppress(OSError):
            self._progress.start()

    def ended(self, result: Result) -> None:
        """The bar is longer by one."""
        if line := failure_line(result, self._tally):
            self._failure(line)
        self.remind(None)

    def remind(self, oldest: tuple[Row, float] | None) -> None:
        """The times beside the bar are of now."""
        state = progress_line(self._tally) + _oldest(oldest)
        with suppress(OSError):
            self._progress.update(self._task, completed=self._tally.ended, state=state)

    def tell(self, line: str) -> None:
        """A line above the bar."""
        from rich.text import Text

        with suppress(OSError):
            self._progress.console.print(Text(shown(line)), soft_wrap=True)

    def close(self) -> None:
        """The bar is gone."""
        with suppress(OSError):
            self._progress.stop()

    def _failure(self, line: str) -> None:
        from rich.text import Text

        with suppress(OSError):
            self._progress.console.print(Text(line, style="red"), soft_wrap=True)


def display_of(choice: str, stream: TextIO, tally: Tally, *, is_dumb: bool) -> Lines:
    """The display: `auto` is a bar on a terminal that can move its cursor, and lines elsewhere."""
    if choice == "none":
        return Silent(stream, tally)
    if choice == "bar" or (choice == "auto" and stream.isatty() and not is_dumb):
        return Bar(stream, tally)
    return Lines(stream, tally)


def progress_line(tally: Tally) -> str:
    """How far a run is, how fast, and how long the rest takes."""
    parts = [f"{tally.ended} of {tally.survey.chosen} rows, {tally.failed} failed"]
    parts.append(f"{tally.ended / tally.seconds:.1f} rows/s")
    parts.append(f"{tally.rtfx:.1f} times as fast as speech")
    if (left := tally.seconds_left) is not None:
        parts.append(f"{clock(left)} left")
    return ", ".join(parts)


def _oldest(found: tuple[Row, float] | None) -> str:
    """A row that has been at work for so long that one may want to know which."""
    if found is None or found[1] < LONG_SECONDS:
        return ""
    return f", at {shown(found[0].uri)} for {clock(found[1])}"


def failure_line(result: Result, tally: Tally) -> str:
    """The line of a row that failed; none after the first ones."""
    if result.error is None or tally.failed > MAX_LINES:
        return ""
    line = f"error: {shown(result.row.uri)}: {shown(result.error.message)} ({result.error.code})"
    return f"{line}; further ones are in the parts alone" if tally.failed == MAX_LINES else line
