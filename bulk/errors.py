"""Errors of bulk transcription: of one row, of an engine's process, and of the output folder."""

from __future__ import annotations

import errno
import os

from client.backend.errors import ClientError

# Codes of rows that failed, as their `error` has them.
AUDIO = "audio_error"
CRASHED = "crashed"
INTERNAL = "internal_error"
IO = "io_error"
NOT_FOUND = "not_found"
OPTION = "invalid_option"
STORAGE = "storage_error"
UNAVAILABLE = "unavailable"
UNREADABLE = "unreadable"

# Those that may be over later: tried three times, and again by `bulk retry`.
TRANSIENT = frozenset({IO, STORAGE, UNAVAILABLE})

# A name that no file can have.
_NO_NAMES = (errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)


class RowError(Exception):
    """A row failed; `code` is one of those above."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    @property
    def is_transient(self) -> bool:
        """Whether another try may help."""
        return self.code in TRANSIENT


class EngineDiedError(Exception):
    """The engine's process ended while it had rows."""


class BusyError(ClientError):
    """Another process is at work in the output folder; later it may not be."""


class OutputError(ClientError):
    """The output folder cannot be read or written; published parts are whole."""


def row_error(error: OSError) -> RowError:
    """A recording that cannot be opened or read, as a row's error."""
    reason = error.strerror or str(error) or type(error).__name__
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return RowError(NOT_FOUND, reason)
        case PermissionError() | IsADirectoryError():
            return RowError(UNREADABLE, reason)
    return RowError(NOT_FOUND if error.errno in _NO_NAMES else IO, reason)


def output_error(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """The output folder's error, for a user."""
    return OutputError(f"{os.fspath(path)}: {error.strerror or error}")
