"""The archive: a line for each recording that is finished, by its content."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

_PIECE = 8 * 1024 * 1024


class Archive:
    """A file of lines `SHA-256  NAME`, as `sha256sum` writes them; it may not be there yet.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[str] = set()
        if path.exists():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            self._known = {line.split(maxsplit=1)[0] for line in lines if line.strip()}

    def has(self, digest: str) -> bool:
        """Whether a recording of this content is finished."""
        return digest in self._known

    def add(self, digest: str, name: str) -> None:
        """Note a recording that is finished.

        Raises:
            OSError: the line cannot be written.
        """
        self._known.add(digest)
        # A line break in a name would begin another line.
        told = name.encode("unicode_escape").decode("ascii")
        with self._path.open("ab") as file:
            file.write(f"{digest}  {told}\n".encode())


async def digest_of(path: Path) -> str:
    """The SHA-256 of a file; it is read beside other work, and can be cancelled.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            await asyncio.to_thread(digest.update, piece)
    return digest.hexdigest()
