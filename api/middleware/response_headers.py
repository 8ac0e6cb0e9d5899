"""Response headers: request id and time, model, queue, audio track, and security headers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from starlette.datastructures import URL, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from api.request_context import RequestContext, context_of
from api.response_state import ResponseState
from models.audio_options import AudioTrack

OPENAI_VERSION = "2020-10-01"
# Everything comes from this server, nothing is inline, and the page is in no frame (W3C, Content
# Security Policy Level 3). Pictures in `data:` are those of Swagger UI's style sheet.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
_FEATURES = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
OF_PAGES = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
    "referrer-policy": "no-referrer",
    # For browsers that do not know `frame-ancestors`.
    "x-frame-options": "DENY",
}


class ResponseHeaders:
    """Middleware: headers that `add` adds to an answer when it begins."""

    def __init__(self, app: ASGIApp, add: Callable[[MutableHeaders, RequestContext], None]) -> None:
        self.app, self.add = app, add

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; the headers go out with the start of the response."""
        context = context_of(scope)
        answer = ResponseState(send, lambda headers: self.add(headers, context))
        await self.app(scope, receive, answer.send)


def add_security(headers: MutableHeaders, _: RequestContext) -> None:
    """No answer's type is guessed, and every page is shut in, BentoML's as well."""
    headers["x-content-type-options"] = "nosniff"
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in ("text/html", "application/xhtml+xml"):
        headers.update(OF_PAGES)


def add_request_id(headers: MutableHeaders, context: RequestContext) -> None:
    """`x-request-id`, `openai-processing-ms` and `openai-version`."""
    milliseconds = (time.monotonic() - context.stats.began) * 1000
    headers["x-request-id"] = context.id
    headers["openai-processing-ms"] = str(int(milliseconds))
    headers["openai-version"] = OPENAI_VERSION


def make_location_relative(headers: MutableHeaders, _: RequestContext) -> None:
    """A redirect to a path without its last slash, or with one, and no word of the host.

    Starlette's, of BentoML's routes, names the host that the client has sent.
    """
    location = URL(headers.get("location", ""))
    if location.netloc:
        query = f"?{location.query}" if location.query else ""
        parent, name = location.path.split("/")[-2:]
        headers["location"] = f"../{name}{query}" if name else f"./{parent}/{query}"


def add_model(headers: MutableHeaders, context: RequestContext) -> None:
    """`x-whisper-model`, the checkpoint that a model id has led to; refusals before that have none.

    Many ids lead to the default one, and clients that know only these cannot tell which it is.
    """
    if context.model:
        headers["x-whisper-model"] = context.model


def add_queue_estimate(headers: MutableHeaders, context: RequestContext) -> None:
    """`x-queue-position` and `x-queue-seconds`, as estimated when the request came."""
    if context.estimate:
        headers["x-queue-position"] = str(context.estimate.position)
        headers["x-queue-seconds"] = str(math.ceil(context.estimate.seconds))


def add_track(headers: MutableHeaders, context: RequestContext) -> None:
    """`x-audio-track`, once the file has been opened: which of its tracks is read.

    A stream whose request still waits in the queue begins before that.
    """
    if context.stats.track:
        headers["x-audio-track"] = track_value(context.stats.track)


def track_value(track: AudioTrack) -> str:
    """The value of `x-audio-track`: an integer with parameters, as in RFC 9651."""
    language = f';language="{track.language}"' if track.language else ""
    return f"{track.index};of={track.count}{language}"
