"""What stands around the whole service, BentoML's own endpoints included: the outermost first."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp

from api.access import RequireKey
from api.deadline import Deadline
from api.linger import Linger
from api.plain_errors import PlainErrors
from api.requestid import RequestId
from api.settings import Settings
from api.upload_limit import UploadLimit

MEBIBYTE = 1024 * 1024


def edge(settings: Settings) -> list[tuple[type[Any], dict[str, Any]]]:
    """The ASGI middlewares with their arguments."""
    return [
        (Linger, {}),
        (RequestId, {}),
        (PlainErrors, {}),
        (Deadline, {"seconds": settings.timeout}),
        (RequireKey, {"keys": settings.api_keys}),
        (UploadLimit, {"most": settings.max_upload_mib * MEBIBYTE}),
    ]


def with_edge(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The app within them."""
    for middleware, options in reversed(edge(settings)):
        app = middleware(app, **options)
    return app
