"""The server that options and environment name."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from client.arguments import DEFAULT_URL
from client.backend.errors import UsageError
from client.remote.address import base_url, checked_key
from client.remote.server import Server

_URLS = ("WHISPER_URL", "OPENAI_BASE_URL")
_KEY = "OPENAI_API_KEY"


def server_of(given: argparse.Namespace, environ: Mapping[str, str]) -> Server:
    """The server: an option comes before the environment, and that before a file with the key.

    Raises:
        UsageError: the address or the key is malformed, or the file cannot be read.
    """
    named = [given.url, *(environ.get(name) for name in _URLS), DEFAULT_URL]
    try:
        url = base_url(next(filter(None, named)))
        key = checked_key(given.api_key or environ.get(_KEY) or _key_in(given.api_key_file))
    except ValueError as error:
        raise UsageError(str(error)) from None
    return Server(url, key, given.timeout, given.retries)


def _key_in(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"the key file {path} cannot be read: {reason}") from None
