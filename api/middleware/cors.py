"""Cross-origin requests where no origin is allowed: an answer to the browsers that ask."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Scope

from api.errors import ApiError
from api.middleware.guard import Guard


class NoCors(Guard):
    """Middleware: 400 for preflights, as for an origin that is not among those allowed.

    They have no key, so that a 401 would send people after the wrong thing.
    """

    def refusal(self, scope: Scope) -> ApiError | None:
        """400 for a preflight (Fetch standard, 4.8)."""
        headers = Headers(scope=scope)
        if scope["method"] != "OPTIONS" or not {
            "origin",
            "access-control-request-method",
        } <= set(headers):
            return None
        message = "Web pages of other origins may not use this server: see WHISPER_CORS_ORIGINS."
        return ApiError(message)
