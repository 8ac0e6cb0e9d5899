"""Who may use the server: API keys, checked before a body is read."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import ApiError, error_response

# Whoever watches over the server has no key.
PROBES = frozenset({"/livez", "/readyz", "/healthz"})

_CHALLENGE = {"www-authenticate": 'Bearer realm="OpenAI API"'}


def key_digest(key: str) -> bytes:
    """What is kept of a key: its SHA-256. Keys are random, so that it needs no salt."""
    return hashlib.sha256(key.encode()).digest()


class RequireKey:
    """Middleware: 401 for requests without one of the keys; without keys everybody may pass.

    A key comes as `Authorization: Bearer KEY` or, as Azure's clients send it, as `api-key: KEY`.
    """

    def __init__(self, app: ASGIApp, keys: Collection[bytes]) -> None:
        self.app = app
        self.keys = tuple(keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await error_response(refusal)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.message})

    def _refusal(self, scope: Scope) -> ApiError | None:
        if not self.keys or scope["type"] == "lifespan" or scope["path"] in PROBES:
            return None
        key = _given(Headers(scope=scope))
        if not key:
            message = "No API key was given: send it as 'Authorization: Bearer KEY'."
            return ApiError(message, status=401, headers=_CHALLENGE)
        digest = key_digest(key)
        # All of them, so that the time does not tell which one came close.
        if sum(hmac.compare_digest(digest, each) for each in self.keys):
            return None
        message = "The API key is not known to this server."
        return ApiError(message, status=401, code="invalid_api_key", headers=_CHALLENGE)


def _given(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return bearer or headers.get("api-key", "").strip()
