"""Who may use the server: API keys, checked before a body is read."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import ApiError, ErrorResponse
from api.keys import KeyFileError, KeyRing, read_keys
from api.page.files import WITHOUT_KEY
from api.settings import Settings
from api.telemetry.endpoints import PROBES

# The methods by which browsers get the files of the pages.
_READING = ("GET", "HEAD")
_CHALLENGE = {"www-authenticate": 'Bearer realm="OpenAI API"'}


def access_problem(settings: Settings, host: str) -> str | None:
    """Why the server must not listen on this address with these keys; None if it may.

    An open server, one without keys, is for this machine alone, unless a setting says otherwise.
    """
    if settings.api_keys_file:
        try:
            read_keys(settings.api_keys_file)
        except KeyFileError as error:
            return error.message
    has_keys = settings.api_keys or settings.api_keys_file
    if has_keys or settings.allow_anyone or _is_loopback(host):
        return None
    return (
        f"the server does not listen on {host}, for other machines, without API keys: set "
        "WHISPER_API_KEYS, WHISPER_API_KEYS_FILE or WHISPER_ALLOW_ANYONE=true"
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        # What another name means may change while the server runs.
        return False


class RequireKey:
    """Middleware: 401 for requests without one of the keys; without keys everybody may pass.

    A key comes as `Authorization: Bearer KEY` or, as Azure's clients send it, as `api-key: KEY`.
    Its name is `request.state.key_name` to whoever logs or shares out. Probes and the files of the
    pages need none; `request.state.asks_for_key` tells the pages that everything else does.
    """

    def __init__(self, app: ASGIApp, keys: KeyRing) -> None:
        self.app = app
        self.keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await ErrorResponse(refusal)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.message})

    def _refusal(self, scope: Scope) -> ApiError | None:
        if self.keys.is_open or scope["type"] == "lifespan" or scope["path"] in PROBES:
            return None
        if scope.get("method") in _READING and scope["path"] in WITHOUT_KEY:
            scope.setdefault("state", {})["asks_for_key"] = True
            return None
        key = _given(Headers(scope=scope))
        if not key:
            message = "No API key was given: send it as 'Authorization: Bearer KEY'."
            return ApiError(message, status=401, headers=_CHALLENGE)
        name = self.keys.name_of(key)
        if name is not None:
            scope.setdefault("state", {})["key_name"] = name
            return None
        message = "The API key is not known to this server."
        return ApiError(message, status=401, code="invalid_api_key", headers=_CHALLENGE)


def _given(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return bearer or headers.get("api-key", "").strip()
