"""Connections to names: each address of a name is checked, and then connected to as checked.

A name that is looked up once to be checked, and again to be connected to, may lead elsewhere the
second time (DNS rebinding). Here it is looked up once. TLS goes on knowing the name: httpcore gives
it to the handshake, and holds the certificate against it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from ipaddress import ip_address
from threading import Thread

import httpcore

from api.public_addresses import Address
from api.webhook_hosts import WebhookHosts

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
# No more are tried: each may take some of the time that an attempt has.
_MAX_ADDRESSES = 3
_CONNECT_SECONDS = 3.0


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
        if not addresses or not all(self._hosts.may_lead(host, port, each) for each in addresses):
            raise ForbiddenAddressError(host)
        *others, last = addresses[:_MAX_ADDRESSES]
        for address in others:
            try:
                return await self._inner.connect_tcp(str(address), port, _CONNECT_SECONDS)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(str(last), port, timeout)


async def system_addresses(host: str, port: int) -> Sequence[Address]:
    """The addresses that the system's resolver has of a name, in the order to try them in.

    Raises:
        OSError: it has none.
    """
    found: Future[list[str]] = Future()
    # A thread of its own for each: a name server that does not answer holds one for half a minute,
    # which should keep neither other look-ups waiting nor, as a daemon, the end of the process.
    Thread(target=_look_up, args=(found, host, port), name="webhook-dns", daemon=True).start()
    return [ip_address(each) for each in await asyncio.wrap_future(found)]


def _look_up(found: Future[list[str]], host: str, port: int) -> None:
    if not found.set_running_or_notify_cancel():
        return
    try:
        addresses = _addresses(host, port)
    except Exception as error:  # noqa: BLE001 - whoever waits is told of it
        found.set_exception(error)
    else:
        found.set_result(addresses)


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
