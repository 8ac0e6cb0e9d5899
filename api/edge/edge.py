"""What stands around the whole service, BentoML's own endpoints included."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.answer.track_header import TrackHeader
from api.edge.access import RequireKey
from api.edge.body_pace import BodyPace
from api.edge.clean_path import CleanPath, SingleSlashes
from api.edge.deadline import Deadline
from api.edge.disconnect import UntilDisconnected
from api.edge.draining import Drain, Draining
from api.edge.header_limit import HeaderLimit
from api.edge.keys import KeyRing
from api.edge.linger import Linger
from api.edge.plain_errors import PlainErrors
from api.edge.requestid import RequestId
from api.edge.security_headers import SecurityHeaders
from api.edge.upload_limit import UploadLimit
from api.native.body import NativeBody
from api.queueing import QueueHeaders
from api.settings import Settings
from api.telemetry.observe import Observe, Observer

MEBIBYTE = 1024 * 1024
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


class Edge:
    """Middleware: what every HTTP request passes, from the outside to the inside.

    All of it but the keys is for HTTP alone, and is asked nothing else. The observers are told of
    every request that is over.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, drain: Drain, observers: Sequence[Observer] = ()
    ) -> None:
        keys = KeyRing(settings.api_keys, settings.api_keys_file)
        self.other = SingleSlashes(RequireKey(app, keys))
        limited = UploadLimit(NativeBody(app), settings.max_upload_mib * MEBIBYTE)
        keyed = HeaderLimit(RequireKey(CleanPath(limited), keys))
        awaited = UntilDisconnected(Deadline(BodyPace(keyed), settings.timeout))
        told = TrackHeader(QueueHeaders(awaited))
        answered = with_cors(Draining(told, drain), settings.cors_origins)
        observed = Observe(PlainErrors(answered), observers)
        self.http = SingleSlashes(Linger(SecurityHeaders(RequestId(observed))))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await (self.http if scope["type"] == "http" else self.other)(scope, receive, send)
