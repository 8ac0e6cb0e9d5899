"""Host header validation, together with the page's origin: against DNS rebinding."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Scope

from api.errors import ApiError
from api.keys import KeyRing
from api.middleware.guard import Guard
from api.own_names import is_own_name

# What browsers send no origin with, if the page is the server's own.
_READING = ("GET", "HEAD", "OPTIONS")
# What tells, when it is read, what others have made: the ids of jobs, by which their texts are had.
_LISTS = tuple(f"{prefix}/audio/transcriptions" for prefix in ("/v1", "", "/openai/v1"))


class CheckHost(Guard):
    """Middleware: 403 for web pages that ask an open server by a name that may be anybody's.

    A page's own name can be made to lead to this machine. Then the page is of the server's origin
    to its browser, and may do what the server's own page does. So the page's name has to be one
    that nobody else can have; and the `Host`, too, unless a proxy has put its own there. By TLS it
    may be any that is also the `Host`, as whoever has no certificate for it would not be here. A
    key, or the page's origin among `origins`, lets in every page that has it.

    A page's reading of its own server cannot be told from a program's. So the list of jobs is for
    those `Host` names alone, whoever asks.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], keys: KeyRing) -> None:
        super().__init__(app)
        self.origins, self.keys = origins, keys
        self._machine = socket.gethostname().lower()

    def refusal(self, scope: Scope) -> ApiError | None:
        """403 for a page that may be of elsewhere."""
        headers = Headers(scope=scope)
        origin, host = headers.get("origin", "").lower(), headers.get("host", "").lower()
        if not self.keys.is_open:
            return None
        if scope.get("method") == "GET" and scope["path"] in _LISTS:
            return self._list_refusal(host)
        if not origin or scope.get("method") in _READING:
            return None
        if "*" in self.origins or origin in self.origins or self._may_pass(origin, host):
            return None
        message = (
            f"A web page of '{origin[:100]}' asks for '{host[:100]}', and any page may have such a "
            "name: set API keys, or name the page's origin in WHISPER_CORS_ORIGINS."
        )
        return ApiError(message, status=HTTPStatus.FORBIDDEN)

    def _list_refusal(self, host: str) -> ApiError | None:
        is_named = {"*", f"http://{host}", f"https://{host}"} & set(self.origins)
        if is_named or self._is_own(name_in(host)):
            return None
        message = (
            f"The list of jobs is asked for at '{host[:100]}', and any page may have such a name: "
            "set API keys, or name the origin in WHISPER_CORS_ORIGINS."
        )
        return ApiError(message, status=HTTPStatus.FORBIDDEN)

    def _may_pass(self, origin: str, host: str) -> bool:
        """True for a page that is the server's own, or an app of the machine that shows it."""
        scheme, _, page = origin.partition("://")
        asked, name = name_in(host), name_in(page)
        # Ports are no part of it: a proxy may keep the name and leave out its port.
        if scheme == "https" and name and name == asked:
            return True
        # Other schemes are those of apps and extensions, which no name leads to; `null` is anybody.
        is_app = bool(name) and scheme not in ("http", "https")
        return self._is_own(asked) and (is_app or self._is_own(name))

    def _is_own(self, name: str) -> bool:
        """True for an address, a name without dots, one that is nobody's, and the machine's."""
        try:
            return bool(ipaddress.ip_address(name))
        except ValueError:
            return is_own_name(name) or (bool(name) and name == self._machine)


def name_in(host: str) -> str:
    """The name or address in a `Host` header or an origin, without its port (RFC 9110, 7.2)."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")
