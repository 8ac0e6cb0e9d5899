"""Part writer: results as they come, published whole every so often."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bulk.durable import fsync_folder
from bulk.errors import output_error
from bulk.parts import PartName, parts_of

ROWS = 1000
SECONDS = 60.0
_PARTIAL = ".partial-{worker}-"


class PartWriter:
    """Writes the results of one worker, which has its lock.

    Results are written to a file without a part's name. After `rows` of them or `seconds` that file
    is on the disk and gets its name: a part is whole, and a killed run loses one interval's work.
    """

    def __init__(
        self,
        folder: Path,
        worker: str,
        rows: int = ROWS,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._worker, self._clock = folder, worker, clock
        self._rows, self._seconds = rows, seconds
        self._number = max((n.number for n in parts_of(folder) if n.worker == worker), default=0)
        self._open: _OpenPart | None = None
        self._publishing = asyncio.Lock()
        self._last: asyncio.Future[None] | None = None
        self._is_full = asyncio.Event()
        self._is_closed = False
        self._remove_partial()

    def write(self, line: bytes) -> None:
        """Add a result.

        Raises:
            OutputError: it cannot be written; those before it are whole.
        """
        try:
            if self._open is None:
                self._number += 1
                name = PartName(self._worker, self._number)
                partial = self._folder / f"{_PARTIAL.format(worker=self._worker)}{self._number}"
                self._open = _OpenPart(partial, self._folder / str(name), self._clock())
            self._open.write(line)
        except OSError as error:
            raise output_error(self._folder, error) from error
        if self._open.rows >= self._rows:
            self._is_full.set()

    async def publish_in_time(self, published: Callable[[], None], look: float = 1.0) -> None:
        """Publish what is due, until `close`; `published` is called after each.

        Raises:
            OutputError: it cannot be done.
        """
        while not self._is_closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_full.wait(), look)
            if self._open is not None and self._is_due(self._open):
                await self.publish()
                published()

    def close(self) -> None:
        """Let `publish_in_time` end; what is left is for `publish`."""
        self._is_closed = True
        self._is_full.set()

    async def publish(self) -> None:
        """Publish what there is.

        Raises:
            OutputError: it cannot be done.
        """
        async with self._publishing:
            try:
                await self._published()
                if self._open is None:
                    return
                part, self._open = self._open, None
                if not self._is_closed:
                    self._is_full.clear()
                # A disk may take its time; others go on meanwhile, in the next part.
                self._last = asyncio.ensure_future(asyncio.to_thread(part.publish))
                await self._published()
            except OSError as error:
                raise output_error(self._folder, error) from error

    async def _published(self) -> None:
        """Wait for the part that is published now, which a cancelled task may have left."""
        if self._last is not None:
            last = self._last
            await asyncio.shield(last)
            self._last = None

    def _is_due(self, part: _OpenPart) -> bool:
        return part.rows >= self._rows or self._clock() - part.began >= self._seconds

    def _remove_partial(self) -> None:
        """What a killed run left was not published, and is done again."""
        for path in self._folder.glob(f"{_PARTIAL.format(worker=self._worker)}*"):
            with suppress(OSError):
                path.unlink()


class _OpenPart:
    """A part before it is published."""

    def __init__(self, partial: Path, path: Path, began: float) -> None:
        self._partial, self._path = partial, path
        self.began, self.rows, self._end = began, 0, 0
        self._file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)

    def write(self, line: bytes) -> None:
        """Add a line; a disk that is full has none of it."""
        view = memoryview(line)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError:
            os.ftruncate(self._file, self._end)
            os.lseek(self._file, self._end, os.SEEK_SET)
            raise
        self._end += len(line)
        self.rows += 1

    def publish(self) -> None:
        """Give it its name, once it is on the disk."""
        try:
            os.fsync(self._file)
        finally:
            os.close(self._file)
        if self.rows:
            self._partial.rename(self._path)
            fsync_folder(self._path.parent)
        else:
            self._partial.unlink()
