"""The app as it is served, with every route that its document has."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI

from api.app import create_app
from api.client_secrets import ClientSecrets
from api.dialect import Dialect
from api.realtime.routes import SecretRoutes


def documented_app(version: str = "1.2.3", dialects: Sequence[Dialect] = ()) -> FastAPI:
    """OpenAI's endpoints, and those of the realtime API."""
    secrets = SecretRoutes(ClientSecrets(b"k" * 32), "medium")
    return create_app(version, secrets.routes(), dialects)
