"""Which addresses webhooks may reach unless they are listed: those of the public internet."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from api.public_addresses import is_private, is_public

PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::1"]
PRIVATE = ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1"]
OTHERS = [
    "0.0.0.0",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "3fff::1",
    # IPv4 in the form of IPv6, of public addresses as well: mapped, NAT64, 6to4, Teredo.
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_address_of_the_internet_is_public(text: str) -> None:
    assert is_public(ip_address(text))
    assert not is_private(ip_address(text))


@pytest.mark.parametrize("text", [*PRIVATE, *OTHERS])
def test_any_other_address_is_not(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PRIVATE)
def test_address_of_a_private_network_is_private(text: str) -> None:
    assert is_private(ip_address(text))


@pytest.mark.parametrize("text", OTHERS)
def test_address_of_this_machine_or_a_link_is_not_private(text: str) -> None:
    assert not is_private(ip_address(text))
