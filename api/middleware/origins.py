"""Origins of WebSockets: which web pages may open one (RFC 6455, 4.2.2 and 10.2)."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Scope

from api.errors import ApiError
from api.keys import KeyRing
from api.middleware.guard import Guard
from api.middleware.own_hosts import name_in


class CheckOrigin(Guard):
    """Middleware: 403 for a handshake of a web page that may not use the server.

    Browsers ask nobody before they open a WebSocket, and send the page's origin with it; others
    send none. With `origins` it must be one of them. Without, a page of elsewhere needs a key: on
    an open server any page that somebody looks at could listen through it.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], keys: KeyRing) -> None:
        super().__init__(app)
        self.origins, self.keys = origins, keys

    def refusal(self, scope: Scope) -> ApiError | None:
        """403 for a foreign origin."""
        headers = Headers(scope=scope)
        origin = headers.get("origin", "").lower()
        if not origin or self._may_pass(origin) or _same(origin, headers.get("host", "")):
            return None
        message = "Web pages of other origins may not use this server: see WHISPER_CORS_ORIGINS."
        return ApiError(message, status=HTTPStatus.FORBIDDEN)

    def _may_pass(self, origin: str) -> bool:
        if self.origins:
            return "*" in self.origins or origin in self.origins
        return not self.keys.is_open


def _same(origin: str, host: str) -> bool:
    """True if the page is this server's: its scheme may be another behind a proxy with TLS.

    Such a proxy may also keep the name and leave out its port.
    """
    scheme, _, page = origin.partition("://")
    return host.lower() in (page, name_in(page) if scheme == "https" else page)
