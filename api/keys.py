"""Key ring: the API keys of the settings, and those of a file that may change."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from api.server_log import logger
from models.errors import WhisperError

# How often the file is looked at, in seconds.
CHECK_SECONDS = 1.0

_KEY = re.compile(r"[!-~]{8,}")
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_LINE = re.compile(rf"({_NAME})\s*:\s*(?:sha256:([0-9a-fA-F]{{64}})|(?!sha256:)({_KEY.pattern}))")


class Key(NamedTuple):
    """A key: its SHA-256, with its name. Keys are random: no salt is needed."""

    name: str
    digest: bytes


class KeyFileError(WhisperError):
    """The file of the keys cannot be read, or a line of it; the message has none of its text."""


def key_digest(key: str) -> bytes:
    """The SHA-256 of a key.

    Raises:
        ValueError: it is shorter than 8 characters, or has others than visible ASCII ones.
    """
    if not _KEY.fullmatch(key):
        raise ValueError("not a key")
    return _sha256(key)


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys of a file: `NAME:KEY` or `NAME:sha256:HEX` a line; comments begin with `#`.

    Several keys may have one name, such as a client's old and new one.

    Raises:
        KeyFileError: it cannot be read, a line is malformed, or there is no key.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise KeyFileError(f"The key file {path} cannot be read: {reason}.") from error
    keys = [_key(path, number, line) for number, line in enumerate(lines, 1) if _has_key(line)]
    if not keys:
        raise KeyFileError(f"The key file {path} has no key.")
    return tuple(keys)


def _has_key(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _key(path: Path, number: int, line: str) -> Key:
    match = _LINE.fullmatch(line.strip())
    if not match:
        raise KeyFileError(
            f"The key file {path} is malformed in line {number}: wanted NAME:KEY, the key of at "
            "least 8 visible ASCII characters, or NAME:sha256:HEX."
        )
    name, digest, key = match.groups()
    return Key(name, bytes.fromhex(digest) if digest else key_digest(key))


class KeyRing:
    """The keys of the settings, `key-1` and on, and those of the file as it is now.

    A file that is gone or malformed changes nothing: the keys that were read last stay, and the log
    says so once.
    """

    def __init__(self, digests: Sequence[bytes], path: Path | None = None) -> None:
        self._fixed = tuple(Key(f"key-{number}", each) for number, each in enumerate(digests, 1))
        self._path = path
        self._of_file: tuple[Key, ...] = ()
        self._read_state: tuple[int, ...] | None = None
        self._complaint: object = None
        self._next_check = 0.0

    @property
    def is_open(self) -> bool:
        """True if no keys were set at all: everybody may use the server."""
        return not self._fixed and self._path is None

    def name_of(self, key: str) -> str | None:
        """The name of a key; None if it is not known."""
        digest = _sha256(key)
        # All of them, so that the time does not reveal which one came close.
        names = [each.name for each in self._known() if hmac.compare_digest(digest, each.digest)]
        return names[0] if names else None

    def has_name(self, name: str) -> bool:
        """True if there is a key of this name."""
        return any(each.name == name for each in self._known())

    def _known(self) -> list[Key]:
        if self._path is not None and time.monotonic() >= self._next_check:
            self._refresh(self._path)
            self._next_check = time.monotonic() + CHECK_SECONDS
        return [*self._fixed, *self._of_file]

    def _refresh(self, path: Path) -> None:
        # Before it is read, so that what changes meanwhile is seen the next time.
        state = _state(path)
        if state is not None and state == self._read_state:
            return
        try:
            self._of_file = read_keys(path)
        except KeyFileError as error:
            complaint = (state, error.message)
            if complaint != self._complaint:
                logger.warning("%s The keys read before stay.", error.message)
            self._complaint = complaint
        else:
            logger.info("Keys read from %s: %d", path, len(self._of_file))
            self._read_state, self._complaint = state, None


def _state(path: Path) -> tuple[int, ...] | None:
    """The version of the file; None: there is none. Symbolic links are followed."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino, stat.st_dev
