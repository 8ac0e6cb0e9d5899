"""Connections to names whose addresses are checked: to just those that were.

A name that is looked up once to be checked, and again to be connected to, may lead elsewhere the
second time (DNS rebinding). Here it is looked up once. TLS goes on knowing the name: httpcore gives
it to the handshake, and holds the certificate against it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import httpcore

from api.public_addresses import Address
from api.webhook_hosts import WebhookHosts

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
# Those behind them are not tried: each may take all the time that there is.
_MAX_ADDRESSES = 3
_CONNECT_SECONDS = 3.0
# A name server that does not answer holds a thread for half a minute, which is none of others'.
_RESOLVERS = 4


class ForbiddenAddressError(Exception):
    """A name leads to an address that it may not lead to."""


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Connects to names and addresses as `hosts` allows."""

    def __init__(self, hosts: WebhookHosts, resolve: Resolve) -> None:
        self._hosts, self._resolve = hosts, resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first of the name's addresses that takes one.

        Raises:
            ForbiddenAddressError: one of them is not allowed.
            OSError: the name has none.
            httpcore.ConnectError, httpcore.ConnectTimeout: none takes one.
        """
        addresses = await self._resolve(host, port)
        if not addresses or not all(self._hosts.may_lead(host, each) for each in addresses):
            raise ForbiddenAddressError(host)
        *others, last = addresses[:_MAX_ADDRESSES]
        for address in others:
            try:
                return await self._inner.connect_tcp(str(address), port, _CONNECT_SECONDS)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(str(last), port, timeout)


class Resolver:
    """The system's resolver, in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="webhook-dns")

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        """The addresses of a name, in the order in which they should be tried.

        Raises:
            OSError: it has none.
        """
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _addresses, host, port)
        return [ip_address(each) for each in found]

    def close(self) -> None:
        """Start no more look-ups."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
