"""Headers that keep a browser from doing with an answer what nobody means it to do."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


class SecurityHeaders:
    """Middleware: no answer's type is guessed, and every page is shut in, whoever made it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; the headers go out with the start of the response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-content-type-options"] = "nosniff"
                if _is_page(headers.get("content-type", "")):
                    headers.update(OF_PAGES)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _is_page(content_type: str) -> bool:
    essence = content_type.partition(";")[0].strip().lower()
    return essence in ("text/html", "application/xhtml+xml")
