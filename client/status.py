"""The command `status`: what the server is, and what it does."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from client.backend.errors import NoEndpointError, NoServiceError
from client.connecting import server_of
from client.remote.requests import Requests
from client.remote.server import Server


def status(given: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print it; returns the exit status 0.

    Raises:
        UsageError: wrong usage.
        NoServiceError: no server answers, or it refuses the key.
    """
    server = server_of(given, environ)
    for name, value in asyncio.run(_told(server)):
        print(f"{name + ':':10} {value}")
    return 0


async def _told(server: Server) -> list[tuple[str, str]]:
    async with Requests(server) as requests:
        # It asks for the key, where there are any; a server's health does not.
        models = await requests.patiently("GET", server.endpoint("models"), _say)
        rows = [("server", str(server))]
        try:
            health = await requests.patiently("GET", server.beside("health"), _say)
            rows += _health(health.json())
        except (NoEndpointError, ValueError, KeyError, TypeError):
            rows.append(("health", "not told: another server than whisper-bento"))
    try:
        rows.append(("models", ", ".join(each["id"] for each in models.json()["data"])))
    except (ValueError, KeyError, TypeError):
        raise NoServiceError(f"{server} has no list of models: is it the address of an API?") from (
            None
        )
    return rows


def _health(health: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "version", health["version"]
    yield "default", f"{health['default_model']}, in {health['dtype']} on {health['device']}"
    queue = health["queue"]
    work = f"{queue['running']} running, {queue['waiting']} waiting"
    yield "queue", f"{work}, {queue['seconds']} seconds of audio in all"
    names = {"upload_bytes": "bytes an upload", "audio_seconds": "seconds a recording"}
    limits = [f"{health['limits'][name]} {of}" for name, of in names.items()]
    yield "limits", ", ".join(each for each in limits if not each.startswith("None"))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
