"""The server: its address and key, and an HTTP client for it."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

from client import __version__

_CONNECT_SECONDS = 10.0
# A server that reads a body or sends a stream is never silent for so long; a model that is loaded
# before the stream begins may take minutes.
_SILENT_SECONDS = 600.0
# An answer that comes as a whole: longer than servers let a request take.
_WHOLE_SECONDS = 4 * 3600.0

STREAMED = httpx.Timeout(_SILENT_SECONDS, connect=_CONNECT_SECONDS, pool=None)
WHOLE = httpx.Timeout(_SILENT_SECONDS, connect=_CONNECT_SECONDS, pool=None, read=_WHOLE_SECONDS)


@dataclass(frozen=True)
class Server:
    """A server; `url` is what OpenAI's SDKs call the base URL.

    A server that is busy is asked again for `timeout` seconds, without end if None; one that is not
    there is waited for only where there is a `timeout`. What fails on its way is sent again
    `retries` times. `is_awaited`: a server that goes away is waited for like one that is busy.
    """

    url: httpx.URL
    key: str | None = field(default=None, repr=False)
    timeout: float | None = None
    retries: int = 2
    is_awaited: bool = False

    def __str__(self) -> str:
        return str(self.url)

    def endpoint(self, path: str) -> httpx.URL:
        """The address of one of OpenAI's endpoints."""
        return self.url.copy_with(path=f"{self.url.path.rstrip('/')}/{path}")

    def beside(self, path: str) -> httpx.URL:
        """The address of what the server has outside of OpenAI's paths, such as its health."""
        return self.url.copy_with(path=f"{self.url.path.rstrip('/').removesuffix('/v1')}/{path}")

    def safe(self, text: str) -> str:
        """The text without the key, which a server's message may repeat."""
        return text.replace(self.key, "***") if self.key else text

    def client(self, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
        """An HTTP client, to be closed; `transport` takes the place of the network."""
        headers = {"user-agent": f"whisper-bento/{__version__}"}
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        return httpx.AsyncClient(
            headers=headers,
            transport=transport,
            timeout=STREAMED,
            limits=httpx.Limits(max_connections=None),
            # Plain HTTP is for machines nearby, which no proxy leads to.
            trust_env=self.url.scheme == "https",
        )
