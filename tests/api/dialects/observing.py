"""A client of all dialects, and what is told of its requests."""

from __future__ import annotations

from starlette.testclient import TestClient

from api.app import create_app
from api.dialects.enabled import enabled
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack
from api.settings import Settings
from api.telemetry.observe import Observed
from tests.api.fake import served


def observed_client(*models: str) -> tuple[TestClient, list[Observed]]:
    """Of a server of these models, the first being the default."""
    told: list[Observed] = []
    dialects = enabled(Settings())
    app = create_app("1.2.3", dialects=dialects)
    app.state.registry = served(*models)
    return TestClient(MiddlewareStack(app, Settings(), Drain(0), [told.append], dialects)), told
