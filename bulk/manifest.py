"""Manifests: a line of JSON for each recording, read as it is needed."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bulk.row import Row, RowFormatError, row_of
from client.backend.errors import UsageError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_KINDS = {".parquet": "Parquet", ".csv": "CSV", ".tsv": "TSV", ".zst": "Zstandard"}


@dataclass(frozen=True)
class Survey:
    """What there is to do: rows, and the seconds of audio, None if a row does not tell its own."""

    total: int
    chosen: int
    seconds: float | None


class Manifest:
    """A manifest in JSON lines, compressed by gzip if its name ends in `.gz`.

    Paths in it are relative to its folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = path.absolute().parent
        if (kind := _OTHER_KINDS.get(path.suffix.lower())) is not None:
            raise UsageError(f"{path}: {kind} is not read: a manifest is JSON lines (.jsonl, .gz)")

    def numbered(self) -> Iterator[tuple[int, Row]]:
        """Every row, with its line from 1.

        Raises:
            UsageError: the file cannot be read, or a line is no row; the message names the line.
        """
        number = 0
        with self._opened() as file, self._told_at(lambda: number):
            for number, line in enumerate(file, 1):
                text = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
                if text.strip():
                    yield number, self._row(number, text)

    def rows(self) -> Iterator[Row]:
        """Every row; raises as `numbered`."""
        return (row for _, row in self.numbered())

    def survey(self, is_chosen: Callable[[Row], bool]) -> Survey:
        """Read all of it once: no two rows have the same id.

        It keeps 16 bytes of each id, and no row.

        Raises:
            UsageError: as `numbered`, or two rows have the same id, or there are none.
        """
        lines: dict[bytes, int] = {}
        chosen, seconds = 0, 0.0
        is_timed = True
        for number, row in self.numbered():
            key = hashlib.blake2b(row.id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            if (first := lines.setdefault(key, number)) != number:
                raise UsageError(
                    f"{self.path}: lines {first} and {number} have the same id {row.id!a}"
                )
            if is_chosen(row):
                chosen += 1
                is_timed = is_timed and row.duration is not None
                seconds += row.duration or 0.0
        if not lines:
            raise UsageError(f"{self.path} has no rows")
        return Survey(len(lines), chosen, seconds if is_timed and chosen else None)

    def _row(self, number: int, line: bytes) -> Row:
        try:
            members = json.loads(line)
            return row_of(members)
        except RowFormatError as error:
            reason = str(error)
        except (ValueError, RecursionError) as error:
            reason = f"no JSON in UTF-8: {error}"
        raise UsageError(f"{self.path}, line {number}: {reason}")

    @contextmanager
    def _opened(self) -> Iterator[Iterable[bytes]]:
        if self.path.exists() and not self.path.is_file():
            raise UsageError(f"{self.path}: a manifest is a file, as it is read more than once")
        try:
            if self.path.suffix.lower() == ".gz":
                opened: gzip.GzipFile | BinaryIO = gzip.GzipFile(self.path)
            else:
                opened = self.path.open("rb")
        except OSError as error:
            raise UsageError(f"{self.path}: {error.strerror or error}") from None
        with opened:
            yield opened

    @contextmanager
    def _told_at(self, line: Callable[[], int]) -> Iterator[None]:
        """Errors of reading, after the line that was read last."""
        try:
            yield
        except (OSError, EOFError, zlib.error) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise UsageError(f"{self.path}, after line {line()}: {reason}") from None
