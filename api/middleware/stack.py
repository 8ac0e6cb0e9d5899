"""What stands around the whole service, BentoML's own endpoints included."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.keys import KeyRing
from api.middleware.access import RequireKey
from api.middleware.body_timeout import BodyTimeout
from api.middleware.deadline import Deadline
from api.middleware.disconnect import UntilDisconnected
from api.middleware.draining import Drain, Draining
from api.middleware.error_envelope import ErrorEnvelope
from api.middleware.header_limit import HeaderLimit
from api.middleware.lingering_close import LingeringClose
from api.middleware.native_body import NativeBody
from api.middleware.path_guard import PathGuard, SingleSlashes
from api.middleware.request_id import RequestId
from api.middleware.security_headers import SecurityHeaders
from api.middleware.upload_limit import UploadLimit
from api.requests.queueing import QueueHeaders
from api.responses.track_header import TrackHeader
from api.settings import Settings
from api.telemetry.observe import Observe, Observer
from models.units import MIB

# What a web page may read of an answer besides its body and type.
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
)


def with_cors(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """An app that the web pages of these origins may use; browsers keep others from it.

    Keys come in a header that a page sends itself, so that cookies and the like are not asked for.
    """
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST"),
        allow_headers=("*",),
        # Pages from elsewhere are what servers on one's own machine or network are asked by.
        allow_private_network=True,
        expose_headers=EXPOSED,
    )


class MiddlewareStack:
    """Middleware: what every HTTP request passes, from the outside to the inside.

    All of it but the keys is for HTTP alone, and is asked nothing else. The observers are told of
    every request that is over.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, drain: Drain, observers: Sequence[Observer] = ()
    ) -> None:
        keys = KeyRing(settings.api_keys, settings.api_keys_file)
        self.other = SingleSlashes(RequireKey(app, keys))
        limited = UploadLimit(NativeBody(app), settings.max_upload_mib * MIB)
        keyed = HeaderLimit(RequireKey(PathGuard(limited), keys))
        awaited = UntilDisconnected(Deadline(BodyTimeout(keyed), settings.timeout))
        told = TrackHeader(QueueHeaders(awaited))
        answered = with_cors(Draining(told, drain), settings.cors_origins)
        observed = Observe(ErrorEnvelope(answered), observers)
        self.http = SingleSlashes(LingeringClose(SecurityHeaders(RequestId(observed))))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await (self.http if scope["type"] == "http" else self.other)(scope, receive, send)
