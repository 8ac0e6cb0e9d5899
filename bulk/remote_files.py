"""Files in object stores and behind URLs, by fsspec, which is imported when there are any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

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


def open_file(uri: str) -> Any:
    """The file behind a URL, opened to be read.

    Raises:
        RowError: it cannot be found or opened.
        UsageError: a package is missing, without which no such URL can be.
    """
    try:
        return _fsspec().open(uri, "rb").open()
    except ImportError as error:
        raise UsageError(f"{uri!a} cannot be read: {error}") from error
    except Exception as error:
        raise _row_error(error) from error


def read_piece(file: Any, size: int) -> bytes:
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
        storage, root = _fsspec().core.url_to_fs(url)
        if not storage.exists(root):
            raise UsageError(f"there is nothing at {url}")
        for folder, folders, files in storage.walk(root):
            folders.sort()
            for name in sorted(files):
                yield str(storage.unstrip_protocol(f"{folder.rstrip('/')}/{name}"))
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"{url} cannot be listed: {_told(error)}") from error


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError:
        raise ImportError("URLs need the extra `bulk`: pip install whisper-bento[bulk]") from None
    return fsspec


def _row_error(error: Exception) -> RowError:
    """Each storage has exceptions of its own: what is not known to be final may pass."""
    match error:
        case FileNotFoundError():
            return RowError(NOT_FOUND, "there is no such file")
        case PermissionError():
            return RowError(UNREADABLE, _told(error))
        case ValueError() if "rotocol not known" in str(error):
            raise UsageError(str(error)) from error
    return RowError(STORAGE, _told(error))


def _told(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:_MAX_MESSAGE]
