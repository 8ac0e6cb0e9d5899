"""In-flight file: which rows are at work, so that a row that ends its engine is known afterwards.

It is a log of lines of JSON: an event and an id. Its content outlives the process, also one that is
killed. After a loss of power the file may lack its last lines; then rows are only done again.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from bulk.durable import write_whole
from bulk.errors import OutputError, output_error

# A row that was at work alone when the whole run was killed, so often, counts as crashed. Once is
# not enough: a run may be killed for other reasons, but not each time at the same row.
MAX_KILLED_ALONE = 3


class Inflight:
    """The in-flight file of one worker, which has its lock.

    A row is *suspect* if it was at work when an engine or a whole run was killed.
    """

    def __init__(self, folder: Path, worker: str) -> None:
        self._path = folder / f"inflight-{worker}"
        self._working: set[str] = set()
        # Suspects, and how often the run was killed while they were at work alone.
        self._suspects: dict[str, int] = {}
        self._alone: set[str] = set()
        self._read()
        self._file = self._rewritten()

    @property
    def suspects(self) -> frozenset[str]:
        """The ids of rows that are to be at work alone."""
        return frozenset(self._suspects)

    def is_suspect(self, row_id: str) -> bool:
        """Whether the row must be at work alone."""
        return row_id in self._suspects

    def kills(self, row_id: str) -> int:
        """How often the run was killed while this row was at work alone."""
        return self._suspects.get(row_id, 0)

    def is_hopeless(self, row_id: str) -> bool:
        """Whether that has been often enough: the row has crashed."""
        return self.kills(row_id) >= MAX_KILLED_ALONE

    def start(self, row_id: str) -> None:
        """It is at work now, with others."""
        self._note("start", row_id)

    def start_alone(self, row_id: str) -> None:
        """It is at work now, alone."""
        self._note("alone", row_id)

    def suspect(self, row_id: str) -> None:
        """An engine was killed while it was at work."""
        self._note("suspect", row_id)

    def end(self, row_id: str) -> None:
        """Its result is written, or it was given back unharmed."""
        self._note("end", row_id)

    def rest(self, row_id: str) -> None:
        """It is not at work any more, and is as suspect as it was."""
        self._note("rest", row_id)

    def forget_done(self, done: set[str]) -> None:
        """Rows with a published result are not suspect any more."""
        for row_id in self._suspects.keys() & done:
            del self._suspects[row_id]
        self.shorten()

    def shorten(self) -> None:
        """Write the file anew, with what is of use: it would grow with the manifest.

        Raises:
            OutputError: it cannot be written.
        """
        before, self._file = self._file, self._rewritten()
        os.close(before)

    def close(self) -> None:
        """The end of a run that was not killed: rows at work are no suspects."""
        self._working.clear()
        self._alone.clear()
        with suppress(OSError, OutputError):
            os.close(self._file)
            if self._suspects:
                os.close(self._rewritten())
            else:
                self._path.unlink(missing_ok=True)

    def _read(self) -> None:
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        except OSError as error:
            raise output_error(self._path, error) from error
        for line in lines:
            # The last line of a disk that was full may be half a line.
            with suppress(ValueError, TypeError, KeyError):
                event, row_id, killed = json.loads(line)
                self._apply(str(event), str(row_id), int(killed))
        for row_id in self._working:
            self._suspects[row_id] = self._suspects.get(row_id, 0) + (row_id in self._alone)
        self._working.clear()
        self._alone.clear()

    def _apply(self, event: str, row_id: str, killed: int = 0) -> None:
        match event:
            case "start":
                self._working.add(row_id)
            case "alone":
                self._working.add(row_id)
                self._alone.add(row_id)
            case "suspect":
                self._suspects[row_id] = max(killed, self._suspects.get(row_id, 0))
                self._leave(row_id)
            case "rest":
                self._leave(row_id)
            case "end":
                self._suspects.pop(row_id, None)
                self._leave(row_id)

    def _leave(self, row_id: str) -> None:
        self._working.discard(row_id)
        self._alone.discard(row_id)

    def _note(self, event: str, row_id: str) -> None:
        self._apply(event, row_id)
        try:
            os.write(self._file, _line(event, row_id))
        except OSError as error:
            raise output_error(self._path, error) from error

    def _rewritten(self) -> int:
        """A new file with the suspects and what is at work; its descriptor, at its end."""
        lines = [_line("suspect", row_id, killed) for row_id, killed in self._suspects.items()]
        lines += [
            _line("alone" if row_id in self._alone else "start", row_id) for row_id in self._working
        ]
        write_whole(self._path, b"".join(lines))
        try:
            return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            raise output_error(self._path, error) from error


def _line(event: str, row_id: str, killed: int = 0) -> bytes:
    return json.dumps([event, row_id, killed]).encode() + b"\n"
