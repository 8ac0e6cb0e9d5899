"""Preflight check: a server that answers, takes the key and has the model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

from client.backend.errors import NoEndpointError, UsageError
from client.remote.requests import Requests


async def ask_for_model(requests: Requests, model: str, tell: Callable[[str], None]) -> None:
    """Ask for the model, with the key; names of checkpoints may have slashes.

    `tell` is called with what a user should know while a server is waited for.

    Raises:
        UsageError: the name leads to another address.
        NoServiceError: no server answers, it refuses the key, or has no such model.
    """
    if {".", ".."} & set(model.split("/")):
        raise UsageError(f"{model!r} is no name of a model")
    url = requests.server.endpoint(f"models/{quote(model, safe='/')}")
    # Who has no list of models tells of a wrong one when it is asked to transcribe.
    with suppress(NoEndpointError):
        await requests.patiently("GET", url, tell)
