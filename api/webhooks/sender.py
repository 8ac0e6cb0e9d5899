"""One attempt to send a webhook: a signed POST, which follows nothing and waits for nobody."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import httpcore

from api.webhook_hosts import Target
from api.webhooks.pinned_backend import ForbiddenAddressError, PinnedBackend, Resolve, Resolver
from api.webhooks.signature import signature_headers
from api.webhooks.webhook_config import WebhookConfig

# Until the status is there, from the look-up of the name on.
LIMIT_SECONDS = 10.0
# What a receiver says is of no use, but some take it ill if nobody reads it.
_MAX_ANSWER = 16 * 1024
_READ_SECONDS = 1.0


@dataclass(frozen=True)
class Reply:
    """What a receiver has answered: an HTTP status, or none for the reason `error`."""

    status: int | None = None
    error: str | None = None


class WebhookSender:
    """Sends webhooks as `config` allows; `clock` gives the Unix seconds that are signed.

    httpcore knows no redirects, no cookies, and no proxies of the environment. A connection is used
    once, so that each attempt looks its name up anew. `tls` is the system's trust by default.
    """

    def __init__(
        self,
        config: WebhookConfig,
        version: str,
        *,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config, self._clock = config, clock
        self._agent = f"whisper-bento/{version}"
        self._resolver = Resolver()
        self._backend = PinnedBackend(config.hosts, resolve or self._resolver)
        self._tls = tls or httpcore.default_ssl_context()

    async def send(self, url: str, event_id: str, body: bytes) -> Reply:
        """Post an event; whatever comes of it is the answer."""
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                return await self._answer(url, event_id, body)
        except (TimeoutError, httpcore.TimeoutException):
            return Reply(error="timeout")
        except ForbiddenAddressError:
            return Reply(error="address_not_allowed")
        except httpcore.ConnectError as error:
            return Reply(error="tls" if _is_of_tls(error) else "unreachable")
        except OSError:
            return Reply(error="name_not_found")
        except (httpcore.NetworkError, httpcore.ProtocolError):
            return Reply(error="broken")

    def close(self) -> None:
        """Look no names up any more."""
        self._resolver.close()

    async def _answer(self, url: str, event_id: str, body: bytes) -> Reply:
        target = Target.of(url)
        # The list may be another than when the job came.
        if not self._config.hosts.allow(target):
            return Reply(error="host_not_allowed")
        headers = {
            "host": target.origin,
            "content-type": "application/json",
            "user-agent": self._agent,
            "connection": "close",
            **signature_headers(self._config.secrets, event_id, int(self._clock()), body),
        }
        address = httpcore.URL(
            scheme=target.scheme, host=target.host, port=target.port, target=target.target
        )
        async with (
            httpcore.AsyncConnectionPool(self._tls, network_backend=self._backend) as pool,
            pool.stream("POST", address, headers=list(headers.items()), content=body) as response,
        ):
            await _read_a_little(response)
            return Reply(status=response.status)


async def _read_a_little(response: httpcore.Response) -> None:
    """Read what an answer has, as long as that is little and comes at once."""
    nbytes = 0
    with suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(_READ_SECONDS):
            async for piece in response.aiter_stream():
                nbytes += len(piece)
                if nbytes > _MAX_ANSWER:
                    return


def _is_of_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
