"""`x-audio-track`: which audio track of its file a transcript is of."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.audio_options import AudioTrack
from models.request_stats import RequestStats

NAME = "x-audio-track"


class TrackHeader:
    """Middleware: `x-audio-track` on every answer whose file had been opened when it began.

    A stream whose request still waits in the queue begins before that.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; the header goes out with the start of the response."""
        state = scope.setdefault("state", {})

        async def telling_send(message: Message) -> None:
            stats: RequestStats | None = state.get("stats")
            if stats and stats.track and message["type"] == "http.response.start":
                MutableHeaders(scope=message)[NAME] = told(stats.track)
            await send(message)

        await self.app(scope, receive, telling_send)


def told(track: AudioTrack) -> str:
    """The header: an integer with parameters, a structured field of RFC 9651."""
    language = f';language="{track.language}"' if track.language else ""
    return f"{track.index};of={track.count}{language}"
