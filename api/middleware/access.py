"""Authentication by API key, before a body is read."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Scope

from api.errors import ApiError
from api.keys import KeyFileError, KeyRing, read_keys
from api.middleware.guard import Guard
from api.page.files import WITHOUT_KEY
from api.request_context import context_of
from api.settings import Settings
from api.telemetry.endpoints import PROBES

# The methods by which browsers get the files of the pages.
_READING = ("GET", "HEAD")
_CHALLENGE = {"www-authenticate": 'Bearer realm="OpenAI API"'}


def access_problem(settings: Settings, host: str) -> str | None:
    """The reason not to listen on this address with these keys; None if there is none.

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
        # The address of another name may change while the server runs.
        return False


class RequireKey(Guard):
    """Middleware: 401 for requests without one of the keys; without keys everybody may pass.

    A key comes as `Authorization: Bearer KEY` or, as Azure's clients send it, as `api-key: KEY`.
    Its name is the context's `key_name`. Probes and the files of the pages need none;
    `asks_for_key` says to the pages that everything else does.
    """

    def __init__(self, app: ASGIApp, keys: KeyRing) -> None:
        super().__init__(app)
        self.keys = keys

    def refusal(self, scope: Scope) -> ApiError | None:
        """401 for a key that is missing or unknown."""
        if self.keys.is_open or scope["type"] == "lifespan" or scope["path"] in PROBES:
            return None
        if scope.get("method") in _READING and scope["path"] in WITHOUT_KEY:
            context_of(scope).asks_for_key = True
            return None
        key = _key_in(Headers(scope=scope))
        if not key:
            message = "No API key was given: send it as 'Authorization: Bearer KEY'."
            return ApiError(message, status=401, headers=_CHALLENGE)
        name = self.keys.name_of(key)
        if name is not None:
            context_of(scope).key_name = name
            return None
        message = "The API key is not known to this server."
        return ApiError(message, status=401, code="invalid_api_key", headers=_CHALLENGE)


def _key_in(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return bearer or headers.get("api-key", "").strip()
