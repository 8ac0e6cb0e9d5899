"""What stands around the whole service, BentoML's own endpoints included."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from api.access import RequireKey
from api.deadline import Deadline
from api.linger import Linger
from api.observe import Observe, Observer
from api.plain_errors import PlainErrors
from api.requestid import RequestId
from api.settings import Settings
from api.upload_limit import UploadLimit

MEBIBYTE = 1024 * 1024


class Edge:
    """Middleware: what every HTTP request passes, from the outside to the inside.

    All of it but the keys is for HTTP alone, and is asked nothing else. The observers are told of
    every request that is over.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, observers: Sequence[Observer] = ()
    ) -> None:
        self.other = RequireKey(app, settings.api_keys)
        limited = UploadLimit(app, settings.max_upload_mib * MEBIBYTE)
        keyed = RequireKey(limited, settings.api_keys)
        limited_in_time = PlainErrors(Deadline(keyed, settings.timeout))
        self.http = Linger(RequestId(Observe(limited_in_time, observers)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await (self.http if scope["type"] == "http" else self.other)(scope, receive, send)
