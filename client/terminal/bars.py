"""Progress bars on a terminal: one for each recording that runs, and one for all."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from client.backend.events import Event, Waiting
from client.backend.events import Progress as RecordingProgress
from client.backend.outcome import Outcome
from client.backend.request import Recording
from client.terminal.tally import Tally
from client.terminal.wording import STARTED, clock, failure, shown, state

_NAME_WIDTH = 32


class Bars:
    """Bars below, and above them a line for each recording that failed."""

    def __init__(self, stream: TextIO, tally: Tally) -> None:
        self._console = Console(file=stream)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}", markup=False),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tally, self._began = tally, time.monotonic()
        self._running: dict[Recording, TaskID] = {}
        self._all: TaskID | None = None

    def __enter__(self) -> Self:
        if self._tally.total != 1:
            self._all = self._progress.add_task("all", total=self._tally.total, state="")
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def start(self, recording: Recording) -> None:
        """A bar without an end, until something is known."""
        name = _shortened(shown(recording.name))
        self._running[recording] = self._progress.add_task(name, total=None, state=STARTED)

    def follow(self, recording: Recording, event: Event) -> None:
        """The bar is so far."""
        task = self._running[recording]
        self._progress.update(task, state=state(event))
        match event:
            case RecordingProgress(position=0, done=done, total=total) if total:
                self._progress.update(task, completed=done, total=total)
            case Waiting():
                self._progress.reset(task, total=None, start=True)

    def end(self, outcome: Outcome) -> None:
        """The bar is gone; a line if it failed."""
        if outcome.status == "failed":
            self._console.print(Text(failure(outcome), style="red"), soft_wrap=True)
        if (task := self._running.pop(outcome.recording, None)) is not None:
            self._progress.remove_task(task)
        if self._all is not None:
            self._progress.update(self._all, completed=self._tally.ended, state=self._of_all())

    def tell(self, line: str) -> None:
        """A line above the bars."""
        self._console.print(Text(shown(line)), soft_wrap=True)

    def refresh(self) -> None:
        """Draw it now; it is drawn ten times a second anyway."""
        self._progress.refresh()

    def _of_all(self) -> str:
        left = self._tally.seconds_left(time.monotonic() - self._began)
        return str(self._tally) if left is None else f"{self._tally}, {clock(left)} left"


def _shortened(name: str) -> str:
    """The end of a long name, which tells recordings apart better than its start."""
    return name if len(name) <= _NAME_WIDTH else f"…{name[1 - _NAME_WIDTH :]}"
