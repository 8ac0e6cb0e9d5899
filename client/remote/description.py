"""A server's own description of its API, and the abilities that it tells of."""

from __future__ import annotations

from client.backend.errors import NoServiceError, RecordingError, TryAgainError
from client.remote.abilities import Abilities
from client.remote.requests import Requests


async def described(requests: Requests) -> Abilities:
    """Those of the document at `/openapi.json`; a server without one has none."""
    try:
        answer = await requests.read("GET", requests.server.beside("openapi.json"))
        return Abilities.described_by(answer.json())
    except (NoServiceError, RecordingError, TryAgainError, ValueError):
        return Abilities()
