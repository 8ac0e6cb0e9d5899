"""Downloads: a folder of their own for each run, which the next one removes if this one cannot."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from bulk.durable import write_whole
from bulk.errors import output_error

_PREFIX = "whisper-bento-bulk-"


class Downloads:
    """The downloads of one worker, in a folder under `scratch` (None: the system's).

    A file beside the parts says where: a run that is killed leaves its downloads behind.
    """

    def __init__(self, output: Path, worker: str, scratch: Path | None = None) -> None:
        self._note, self._scratch = output / f".downloads-{worker}", scratch
        self._folder: Path | None = None
        self._number = 0

    def new_path(self, suffix: str) -> Path:
        """A path at which there is no file, with this suffix.

        Raises:
            OutputError: the folder cannot be made.
        """
        if self._folder is None:
            try:
                self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._scratch))
            except OSError as error:
                raise output_error(self._scratch or tempfile.gettempdir(), error) from error
            write_whole(self._note, str(self._folder.absolute()).encode("utf-8", "surrogateescape"))
        self._number += 1
        return self._folder / f"{self._number}{suffix}"

    def clear(self) -> None:
        """Remove what there is, of this run or of the one before."""
        with suppress(OSError):
            text = self._note.read_bytes().decode("utf-8", "surrogateescape")
            if (folder := Path(text)).name.startswith(_PREFIX):
                shutil.rmtree(folder, ignore_errors=True)
            self._note.unlink()
        self._folder = None
