"""What stands around the whole service, BentoML's own endpoints included."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from api.access import RequireKey
from api.body_pace import BodyPace
from api.deadline import Deadline
from api.disconnect import UntilDisconnected
from api.draining import Drain, Draining
from api.linger import Linger
from api.plain_errors import PlainErrors
from api.queueing import QueueHeaders
from api.requestid import RequestId
from api.settings import Settings
from api.upload_limit import UploadLimit

MEBIBYTE = 1024 * 1024


class Edge:
    """Middleware: what every HTTP request passes, from the outside to the inside.

    All of it but the keys is for HTTP alone, and is asked nothing else.
    """

    def __init__(self, app: ASGIApp, settings: Settings, drain: Drain) -> None:
        self.other = RequireKey(app, settings.api_keys)
        limited = UploadLimit(app, settings.max_upload_mib * MEBIBYTE)
        keyed = RequireKey(limited, settings.api_keys)
        awaited = UntilDisconnected(Deadline(BodyPace(keyed), settings.timeout))
        answered = PlainErrors(QueueHeaders(awaited))
        self.http = Linger(RequestId(Draining(answered, drain)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await (self.http if scope["type"] == "http" else self.other)(scope, receive, send)
