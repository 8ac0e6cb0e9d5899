"""Files in object stores and behind URLs, by fsspec, which is imported when there are any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import PurePosixPath
from types import ModuleType
from typing import Protocol

from bulk.errors import NOT_FOUND, STORAGE, UNREADABLE, RowError
from client.backend.errors import UsageError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}")
_MAX_MESSAGE = 300


def is_remote(uri: str) -> bool:
    """Whether it is a URL of storage elsewhere, and no path."""
    return _SCHEME.match(uri) is not None and not uri.lower().startswith("file://")


def suffix_of(uri: str) -> str:
    """The suffix of the file's name, such as `.mp3`; empty if it is no plain one."""
    name = uri.partition("?")[0] if uri.lower().startswith("http") else uri
    suffix = PurePosixPath(name).suffix
    return suffix if _SUFFIX.fullmatch(suffix) else ""


class RemoteFile(Protocol):
    """A file that is read from its start."""

    def read(self, size: int, /) -> bytes:
        """The next bytes; none at its end."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def open_file(uri: str) -> RemoteFile:
    """The file behind a URL, opened to be read.

    Raises:
        RowError: it cannot be found or opened.
        UsageError: a package is missing, without which no such URL can be.
    """
    try:
        opened: RemoteFile = _fsspec().open(uri, "rb").open()
    except ImportError as error:
        raise UsageError(f"{uri!a} cannot be read: {error}") from error
    except Exception as error:
        raise _row_error(error) from error
    return opened


def read_piece(file: RemoteFile, size: int) -> bytes:
    """The next bytes of a file that was opened.

    Raises:
        RowError: its storage fails.
    """
    try:
        return bytes(file.read(size))
    except Exception as error:
        raise _row_error(error) from error


def names_below(url: str) -> Iterator[str]:
    """URLs of all files below a URL, folder by folder, each in order: names alone are asked for.

    Raises:
        UsageError: it cannot be listed.
    """
    try:
        storage, root = _fsspec().url_to_fs(url)
        if not storage.exists(root):
            raise FileNotFoundError(f"there is nothing at {url}")  # noqa: TRY301 - as storages do
        for folder, folders, files in storage.walk(root):
            folders.sort()
            for name in sorted(files):
                yield str(storage.unstrip_protocol(f"{folder.rstrip('/')}/{name}"))
    except Exception as error:
        raise UsageError(f"{url} cannot be listed: {_told(error)}") from error


def _fsspec() -> ModuleType:
    try:
        return import_module("fsspec")
    except ImportError:
        raise ImportError("URLs need the extra `bulk`: pip install '.[bulk]'") from None


def _row_error(error: Exception) -> RowError:
    """Each storage has exceptions of its own: what is not known to be final may pass."""
    match error:
        case FileNotFoundError():
            return RowError(NOT_FOUND, "there is no such file")
        case PermissionError():
            return RowError(UNREADABLE, _told(error))
        case ValueError() if "rotocol not known" in str(error):
            return RowError(NOT_FOUND, _told(error))
    return RowError(STORAGE, _told(error))


def _told(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:_MAX_MESSAGE]
