"""What BentoML has no setting for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bentoml._internal.server.http import traffic
from uvicorn.config import HTTP_PROTOCOLS

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def replace_defaults() -> None:
    """Put ours in the place of two of its parts, before it makes a server of them."""
    traffic.TimeoutMiddleware = without_timer  # type: ignore[assignment, misc]  # as a callable
    # What its workers' uvicorn speaks.
    HTTP_PROTOCOLS["auto"] = "api.edge.timed_headers:TimedHeaders"


def without_timer(app: ASGIApp, timeout: float) -> ASGIApp:
    """In place of BentoML's own time limit, whose timers keep every request in memory.

    They are not cancelled when it is answered. `api/edge/deadline.py` has the same limit, and
    answers in OpenAI's shape.
    """
    return app
