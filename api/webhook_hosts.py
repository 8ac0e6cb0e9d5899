"""Webhook hosts: which URLs an operator allows, and which addresses their names may lead to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Self

from api.own_names import is_own_name
from api.public_addresses import Address, Network, is_private, is_public

MAX_URL = 2048
MAX_NAME = 253

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
# What libraries take for an IPv4 address, in whatever form: its last part is a number.
_NUMERIC = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
_HOST = r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?"
_ENTRY = re.compile(rf"(?P<wild>\*\.)?{_HOST}")
_NETWORK = re.compile(r"\[?([0-9a-f:.]+/[0-9]{1,3})\]?(?::([0-9]{1,5}))?")
# Visible ASCII without `#` and the backslash, which some take for a slash.
_URL = re.compile(
    rf'(?P<scheme>https?)://{_HOST}(?P<target>[/?][!"$-\[\]-~]*)?',
    # Without ASCII the long s and the Kelvin sign would be letters of ASCII.
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True)
class Target:
    """The parts of a URL; `host` is a name in small letters or an address without brackets."""

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def of(cls, url: str) -> Self:
        """The parts, of a URL that any library reads alike.

        Raises:
            ValueError: it is none, or has a user name, a fragment, or characters beyond ASCII.
        """
        match = _URL.fullmatch(url) if len(url) <= MAX_URL else None
        if match is None:
            # Not the URL: it may have a token in it, and errors are logged.
            raise ValueError("malformed")
        scheme, target = match["scheme"].lower(), match["target"] or ""
        port = _port(match["port"]) or _DEFAULT_PORTS[scheme]
        return cls(scheme, _host(match["host"].lower()), port, f"/{target.removeprefix('/')}")

    @property
    def origin(self) -> str:
        """Host and port, as a `Host` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True)
class HostEntry:
    """An entry of the list: a name, all names below it, or a network; on one port, if it says so.

    Without a port it is for those of http and https.
    """

    name: str = ""
    is_wild: bool = False
    network: Network | None = None
    port: int | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """The entry that is written so: `NAME`, `*.NAME`, an address, or `ADDRESS/BITS`; `:PORT`.

        Raises:
            ValueError: it is malformed.
        """
        if match := _NETWORK.fullmatch(text.lower()):
            return cls(network=ip_network(match[1]), port=_port(match[2]))
        try:
            # Of IPv6 without brackets, which has no port then.
            return cls(network=ip_network(text))
        except ValueError:
            match = _ENTRY.fullmatch(text.lower())
        if match is None:
            raise ValueError(text)
        host, port = _host(match["host"]), _port(match["port"])
        if match["wild"]:
            return cls(name=_name(host), is_wild=True, port=port)
        address = _address(host)
        network = ip_network(address) if address else None
        return cls(name="" if address else host, network=network, port=port)

    def allows(self, target: Target) -> bool:
        """True if a URL with these parts is of the entry."""
        port = self.port or _DEFAULT_PORTS[target.scheme]
        return target.port == port and self._has(target.host)

    def is_exactly(self, host: str, port: int) -> bool:
        """True if the entry is this very name, and for this port."""
        return not self.is_wild and self.name == host and self._is_for(port)

    def has_address(self, address: Address, port: int) -> bool:
        """True if the entry is a network that has the address, and for this port."""
        return bool(self.network and address in self.network and self._is_for(port))

    def _is_for(self, port: int) -> bool:
        return port == self.port if self.port else port in _DEFAULT_PORTS.values()

    def _has(self, host: str) -> bool:
        address = _address(host)
        if address or self.network:
            return bool(address and self.network and address in self.network)
        return host.endswith(f".{self.name}") if self.is_wild else host == self.name


class WebhookHosts:
    """The operator's list of hosts."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._entries = tuple(HostEntry.of(entry) for entry in entries)

    def allow(self, target: Target) -> bool:
        """True if a URL with these parts is allowed, wherever its name may lead to."""
        return any(entry.allows(target) for entry in self._entries)

    def may_lead(self, host: str, port: int, address: Address) -> bool:
        """True if a name of the list may lead to this address, on this port.

        Those that are not public have to be in the list as well, for the port. But a name of one's
        own network that is listed itself may lead into private networks; `localhost` to this
        machine. Names below a wild card may not: some resolvers answer any of them with the address
        that is written in it.
        """
        if is_public(address) or any(each.has_address(address, port) for each in self._entries):
            return True
        if not any(each.is_exactly(host, port) for each in self._entries):
            return False
        if host == "localhost" or host.endswith(".localhost"):
            return address.is_loopback
        return is_own_name(host) and is_private(address)


def _host(text: str) -> str:
    """A name or an address; raises `ValueError` for what only some would take for one."""
    if text.startswith("["):
        return str(IPv6Address(text[1:-1]))
    return str(address) if (address := _address(text)) else _name(text)


def _name(text: str) -> str:
    if len(text) > MAX_NAME or not _NAME.fullmatch(text) or _NUMERIC.fullmatch(text):
        raise ValueError(text)
    return text


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if int(text) not in range(1, 65536):
        raise ValueError(text)
    return int(text)
