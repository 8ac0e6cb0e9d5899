"""Middleware stack around the whole service, BentoML's own endpoints included."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from secrets import token_bytes

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.client_secrets import ClientSecrets
from api.dialect import Dialect
from api.keys import KeyRing
from api.middleware.access import RequireKey
from api.middleware.cors import NoCors
from api.middleware.dialects import FindDialect
from api.middleware.disconnect import UntilDisconnected
from api.middleware.draining import Drain, Draining
from api.middleware.error_envelope import ErrorEnvelope
from api.middleware.lingering_close import LingeringClose
from api.middleware.native_body import NativeBody
from api.middleware.origins import CheckOrigin
from api.middleware.own_hosts import CheckHost
from api.middleware.path_guard import PathGuard, SingleSlashes, SocketPathGuard
from api.middleware.response_headers import (
    ResponseHeaders,
    add_model,
    add_queue_estimate,
    add_request_id,
    add_security,
    add_track,
    make_location_relative,
)
from api.middleware.size_limits import HeaderLimit, UploadLimit
from api.middleware.socket_access import RequireSocketKey
from api.middleware.time_limits import BodyTimeout, Deadline
from api.settings import Settings
from api.telemetry.endpoints import SOCKETS
from api.telemetry.observe import Observe, Observer
from api.telemetry.observe_sockets import ObserveSockets
from models.units import MIB

# Headers that a web page may read besides the content type.
EXPOSED = (
    "openai-processing-ms",
    "openai-version",
    "retry-after",
    "www-authenticate",
    "x-audio-track",
    "x-queue-position",
    "x-queue-seconds",
    "x-request-id",
    "x-should-retry",
    "x-whisper-flags",
    "x-whisper-model",
)
Layer = Callable[[ASGIApp], ASGIApp]


def with_cors(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """An app that the web pages of these origins may use; browsers keep others from it.

    Keys come in a header that a page sends itself, so that cookies and the like are not asked for.
    Browsers ask without a key whether a page may send one, and are told so whatever the answer is.
    """
    if not origins:
        return NoCors(app)
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST", "DELETE"),
        allow_headers=("*",),
        # Pages from elsewhere are what servers on one's own machine or network are asked by.
        allow_private_network=True,
        expose_headers=EXPOSED,
    )


def http_layers(
    settings: Settings,
    drain: Drain,
    keys: KeyRing,
    observers: Sequence[Observer],
    dialects: Sequence[Dialect],
) -> Iterable[Layer]:
    """The layers that an HTTP request passes, from the outside in."""
    return (
        SingleSlashes,  # before all that read the path
        partial(FindDialect, dialects=dialects),  # before all that may refuse
        LingeringClose,  # any answer below may come before the body has
        partial(ResponseHeaders, add=add_security),  # on every answer
        partial(ResponseHeaders, add=add_request_id),  # on every answer, refusals included
        partial(Observe, observers=observers),  # sees what the client is sent
        ErrorEnvelope,  # of CORS as well, which refuses preflights in plain text
        partial(with_cors, origins=settings.cors_origins),  # pages may read the errors below
        partial(Draining, drain=drain),  # counts what runs below
        partial(ResponseHeaders, add=add_track),  # on the answers below: time-outs have it, too
        partial(ResponseHeaders, add=add_model),
        partial(ResponseHeaders, add=add_queue_estimate),
        UntilDisconnected,  # cancels what is below
        partial(Deadline, seconds=settings.timeout),
        BodyTimeout,
        HeaderLimit,  # before a key is looked for
        partial(CheckHost, origins=settings.cors_origins, keys=keys),
        partial(RequireKey, keys=keys),  # before a body is read
        PathGuard,  # its 404 is for clients with a key
        partial(UploadLimit, maximum=settings.max_upload_mib * MIB),
        NativeBody,  # counted by the limit above
        partial(ResponseHeaders, add=make_location_relative),  # of BentoML's redirects
    )


@dataclass(frozen=True)
class Sockets:
    """What WebSockets reach: an app at these paths, with keys or client secrets."""

    app: ASGIApp
    secrets: ClientSecrets
    paths: frozenset[str] = SOCKETS


def socket_layers(
    settings: Settings, keys: KeyRing, observers: Sequence[Observer], sockets: Sockets
) -> Iterable[Layer]:
    """The layers that the handshake of a WebSocket passes, from the outside in."""
    return (
        SingleSlashes,
        partial(ResponseHeaders, add=add_security),
        partial(ResponseHeaders, add=add_request_id),  # on the 101, and on refusals
        partial(ObserveSockets, observers=observers),
        HeaderLimit,
        partial(CheckOrigin, origins=settings.cors_origins, keys=keys),
        partial(CheckHost, origins=settings.cors_origins, keys=keys),
        partial(RequireSocketKey, keys=keys, secrets=sockets.secrets),
        partial(SocketPathGuard, paths=sockets.paths),  # its 404 is for clients with a key
    )


def stacked(layers: Iterable[Layer], app: ASGIApp) -> ASGIApp:
    """The app inside of the layers, of which the first one is the outermost."""
    return reduce(lambda inner, layer: layer(inner), reversed(tuple(layers)), app)


class MiddlewareStack:
    """Middleware: `http_layers` for HTTP, `socket_layers` for WebSockets.

    `sockets` is the app of the latter, which BentoML never sees. The observers are called with
    every request that is over. Requests in one of the dialects are refused in it.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        drain: Drain,
        observers: Sequence[Observer] = (),
        dialects: Sequence[Dialect] = (),
        sockets: Sockets | None = None,
    ) -> None:
        keys = KeyRing(settings.api_keys, settings.api_keys_file)
        http = stacked(http_layers(settings, drain, keys, observers, dialects), app)
        served = sockets or Sockets(app, ClientSecrets(token_bytes(32)), frozenset())
        layers = socket_layers(settings, keys, observers, served)
        self.app_of = {"http": http, "websocket": stacked(layers, served.app), "lifespan": app}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await self.app_of[scope["type"]](scope, receive, send)
