"""Fetching: a row's recording as a file on this machine, downloaded where it is elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bulk.daemon_thread import in_daemon_thread
from bulk.downloads import Downloads
from bulk.errors import IO, NOT_FOUND, UNREADABLE, RowError, row_error
from bulk.remote_files import RemoteFile, is_remote, open_file, read_piece, suffix_of
from bulk.row import Row

if TYPE_CHECKING:
    from types import TracebackType

_PIECE = 1 << 20


class Fetcher:
    """Makes files of rows, to be used as a context.

    `folder` is what relative paths are relative to. Downloads take `budget` bytes at most together;
    a recording that is larger has it alone.
    """

    def __init__(self, folder: Path, budget: int, downloads: Downloads) -> None:
        self._folder, self._downloads = folder, downloads
        self._budget = Budget(budget)

    def __enter__(self) -> Fetcher:
        self._downloads.clear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._downloads.clear()

    @asynccontextmanager
    async def file(self, row: Row) -> AsyncIterator[Path]:
        """The row's file, within the block.

        Raises:
            RowError: there is none, or it cannot be read.
        """
        if not is_remote(row.uri):
            # Not in a thread, which costs more than all else that is done for a row.
            yield _checked(self._local(row.uri))
            return
        source = await in_daemon_thread(open_file, row.uri)
        try:
            async with self._budget.taken(self._size(source)):
                path = self._downloads.new_path(suffix_of(row.uri))
                try:
                    await in_daemon_thread(_copy, source, path)
                    yield path
                finally:
                    with suppress(OSError):
                        path.unlink(missing_ok=True)
        finally:
            # It is read through: nothing is lost where its end fails.
            with suppress(Exception):
                source.close()

    def _size(self, source: RemoteFile) -> int:
        """Bytes of what is stored; an eighth of the budget if the storage does not tell."""
        size = getattr(source, "size", None)
        return size if isinstance(size, int) else self._budget.total // 8

    def _local(self, uri: str) -> Path:
        if uri.lower().startswith("file://"):
            return Path(unquote(urlsplit(uri).path))
        return self._folder / uri


class Budget:
    """Bytes on the disk that may be taken together; who comes first is served first."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._turn = asyncio.Lock()
        self._given_back = asyncio.Event()

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[None]:
        """So many bytes, within the block; more than there are is all of them."""
        size = min(size, self.total)
        async with self._turn:
            while self._free < size:
                self._given_back.clear()
                await self._given_back.wait()
            self._free -= size
        try:
            yield
        finally:
            self._free += size
            self._given_back.set()


def _checked(path: Path) -> Path:
    """The path of a file; a folder, a pipe or a device would be read for ever or not at all."""
    try:
        if path.exists() and not path.is_file():
            raise RowError(UNREADABLE, "it is no file")
        with path.open("rb"):
            return path
    except OSError as error:
        raise row_error(error) from error
    except ValueError as error:
        # Characters that no name of a file has.
        raise RowError(NOT_FOUND, str(error)) from error


def _copy(source: RemoteFile, path: Path) -> None:
    """Download what is opened.

    Raises:
        RowError: it breaks off, or there is no room for it.
    """
    try:
        with path.open("wb") as target:
            while piece := read_piece(source, _PIECE):
                target.write(piece)
    except OSError as error:
        raise RowError(IO, f"it cannot be kept: {error.strerror or error}") from error
