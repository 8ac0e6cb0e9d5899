"""Authentication by API key, before a body is read."""

from __future__ import annotations

import base64
import hashlib
import ipaddress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Scope

from api.errors import ApiError
from api.keys import KeyFileError, KeyRing, read_keys
from api.middleware.guard import Guard
from api.page.files import WITHOUT_KEY
from api.request_context import RequestContext, context_of
from api.settings import Settings
from api.telemetry.endpoints import HEALTH, PROBES

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
    if has_keys or settings.allow_anyone or is_loopback(host):
        return None
    return (
        f"the server does not listen on {host}, for other machines, without API keys: set "
        "WHISPER_API_KEYS, WHISPER_API_KEYS_FILE or WHISPER_ALLOW_ANYONE=true"
    )


def is_loopback(host: str) -> bool:
    """True for an address that only this machine's own programs reach."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        # The address of another name may change while the server runs.
        return False


class RequireKey(Guard):
    """Middleware: 401 for requests without one of the keys; without keys everybody may pass.

    A key comes as `Authorization: Bearer KEY`; as Azure's clients send it, as `api-key: KEY`; or as
    a password, by clients such as Bazarr that know no key, but send what stands in their URL.
    Its name is the context's `key_name`. Probes and the files of the pages need none, and without
    one `/health` tells its status; `asks_for_key` says to them that everything else needs one.
    """

    def __init__(self, app: ASGIApp, keys: KeyRing) -> None:
        super().__init__(app)
        self.keys = keys

    def refusal(self, scope: Scope) -> ApiError | None:
        """401 for a key that is missing or unknown."""
        if self.keys.is_open or scope["type"] == "lifespan" or scope["path"] in PROBES:
            return None
        key, path = key_in(Headers(scope=scope)), scope["path"]
        is_open = path in WITHOUT_KEY or (path == HEALTH and not key)
        if is_open and scope.get("method") in _READING:
            context_of(scope).asks_for_key = True
            return None
        return key_refusal(self.keys, key, context_of(scope))


def key_refusal(keys: KeyRing, key: str, context: RequestContext) -> ApiError | None:
    """401 for a key that is missing or unknown; the context learns the name of another."""
    if not key:
        message = "No API key was given: send it as 'Authorization: Bearer KEY'."
        return ApiError(message, status=401, headers=_CHALLENGE)
    name = keys.name_of(key)
    if name is not None:
        context.key_name = name
        context.key_digest = hashlib.sha256(key.encode()).hexdigest()
        return None
    message = "The API key is not known to this server."
    return ApiError(message, status=401, code="invalid_api_key", headers=_CHALLENGE)


def key_in(headers: Headers) -> str:
    """The key in a request's headers; empty: there is none."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    if key := bearer or headers.get("api-key", "").strip():
        return key
    return _password(token.strip()) if scheme.lower() == "basic" else ""


def _password(token: str) -> str:
    """The password of HTTP's basic authentication (RFC 7617); empty: there is none."""
    try:
        return base64.b64decode(token, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
