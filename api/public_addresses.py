"""Which IP addresses are of the public internet, and which of private networks."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_GLOBAL_UNICAST = ip_network("2000::/3")
# Python's tables take these for global. Of 6to4 an address may stand for any of IPv4.
_SPECIAL = ("192.0.0.0/24", "192.88.99.0/24", "2002::/16", "3fff::/20")
# Where Azure's machines reach their host.
_AZURE = "168.63.129.16/32"
_NOT_PUBLIC = tuple(ip_network(text) for text in (*_SPECIAL, _AZURE))
# RFC 1918 and RFC 4193.
_PRIVATE = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
# Where the machines of AWS and of Google Cloud reach their credentials.
_METADATA = tuple(ip_network(text) for text in ("fd00:ec2::/32", "fd20:ce::/32"))


def is_public(address: Address) -> bool:
    """True for an address that everybody reaches: no private, local, reserved or multicast one.

    Of IPv6 those of global unicast alone. So IPv4 in the form of IPv6 is none, mapped, compatible,
    by NAT64 or by 6to4: it leads to wherever the IPv4 address does.
    """
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    is_special = address.is_multicast or address.is_reserved
    return address.is_global and not is_special and not _is_within(address, _NOT_PUBLIC)


def is_private(address: Address) -> bool:
    """True for an address of a private network; others are none.

    Others are those of this machine and of a link, and those of a cloud's metadata.
    """
    return _is_within(address, _PRIVATE) and not _is_within(address, _METADATA)


def _is_within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)
