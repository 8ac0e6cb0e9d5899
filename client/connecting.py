"""The backend that options and environment name: a server, or the models in this process."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from client.backend.errors import NoServiceError, UsageError
from client.backend.protocol import OpenBackend, Tell
from client.context import Context
from client.options import DEFAULT_URL
from client.remote.address import base_url, checked_key
from client.remote.remote import Remote
from client.remote.requests import Requests
from client.remote.server import Server

_URLS = ("WHISPER_URL", "OPENAI_BASE_URL")
_KEY = "OPENAI_API_KEY"
_NO_MODELS = (
    "this client has no models, and so no --local: run `whisper-bento` of a checkout, after "
    "scripts/setup, or of an image"
)


def backend_of(
    given: argparse.Namespace, context: Context, *, is_awaited: bool = False
) -> OpenBackend:
    """What opens the backend. `is_awaited`: a server that goes away is waited for.

    Raises:
        UsageError: as `server_of`, or a server or its key is named beside `--local`.
        NoServiceError: there are no models in this process.
    """
    if not given.local:
        server = replace(server_of(given, context.environ), is_awaited=is_awaited)
        return partial(_remote, server)
    for name in ("url", "api_key", "api_key_file"):
        if getattr(given, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"--local has no server: leave out {option}")
    if context.local is None:
        raise NoServiceError(_NO_MODELS)
    return partial(context.local, retries=given.retries, wait_seconds=given.timeout)


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


@asynccontextmanager
async def _remote(server: Server, tell: Tell) -> AsyncIterator[Remote]:
    async with Requests(server) as requests:
        yield Remote(requests, tell)
