"""One attempt to send a webhook: a signed POST, which follows nothing and waits for nobody."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import httpcore

from api.server_log import logger
from api.webhook_hosts import Target
from api.webhooks.pinned_backend import (
    ForbiddenAddressError,
    PinnedBackend,
    Resolve,
    system_addresses,
)
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
    once, so that each attempt looks its name up anew. `tls` by default trusts the system's
    authorities, or those of `SSL_CERT_FILE`.
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
        self._backend = PinnedBackend(config.hosts, resolve or system_addresses)
        self._tls = tls

    async def send(self, url: str, event_id: str, body: bytes) -> Reply:
        """Post an event; whatever comes of it is the answer."""
        try:
            async with asyncio.timeout(LIMIT_SECONDS) as limit:
                return await self._answer(url, event_id, body, limit)
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

    async def _answer(self, url: str, event_id: str, body: bytes, limit: asyncio.Timeout) -> Reply:
        # List and rules may be others than when the job came.
        target = _target(url)
        if target is None or not self._config.hosts.allow(target):
            return Reply(error="host_not_allowed")
        if target.scheme == "https" and not await self._has_tls():
            return Reply(error="tls")
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
            # What the limit is for is there: an event that was taken is not to be sent again.
            limit.reschedule(None)
            await _read_a_little(response)
            return Reply(status=response.status)

    async def _has_tls(self) -> bool:
        """True if there is a context for TLS, which is made when it is first needed."""
        if self._tls is None:
            try:
                # In a thread, as it reads all certificates.
                self._tls = await asyncio.to_thread(ssl.create_default_context)
            except OSError as error:
                logger.warning("No webhook can be sent by https: %s", error)
        return self._tls is not None


def _target(url: str) -> Target | None:
    try:
        return Target.of(url)
    except ValueError:
        return None


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
