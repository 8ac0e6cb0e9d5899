"""The list of webhook hosts: which URLs are of it, and where its names may lead to."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from api.webhook_hosts import MAX_URL, HostEntry, Target, WebhookHosts


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.org", Target("https", "example.org", 443, "/")),
        ("http://example.org", Target("http", "example.org", 80, "/")),
        ("HTTPS://Example.ORG:8443/Done?x=1", Target("https", "example.org", 8443, "/Done?x=1")),
        ("https://example.org?x=a@b", Target("https", "example.org", 443, "/?x=a@b")),
        ("http://my_receiver/x", Target("http", "my_receiver", 80, "/x")),
        ("http://10.0.0.5:9000/", Target("http", "10.0.0.5", 9000, "/")),
        ("http://[FD00::1]:9000/", Target("http", "fd00::1", 9000, "/")),
        ("https://xn--bcher-kva.example/", Target("https", "xn--bcher-kva.example", 443, "/")),
    ],
)
def test_parts_of_a_url(url: str, target: Target) -> None:
    assert Target.of(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "//example.org",
        "file:///etc/passwd",
        "file://example.org/etc/passwd",
        "ftp://example.org",
        "gopher://example.org",
        "javascript:alert(1)",
        "https:/example.org",
        "https://",
        "https:///x",
        # Whoever reads the host differently would connect elsewhere.
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://example.org@127.0.0.1/",
        "https://127.0.0.1#@example.org/",
        "https://127.0.0.1\\@example.org/",
        "https://example.org\\.evil.example/",
        "https://example.org#x",
        "https://example.org /",
        " https://example.org/",
        "https://example.org/\n",
        "https://example.org/\r\nx: y",
        "https://example.org/\x00",
        "https://exam%70le.org/",
        "https://example.org./",
        "https://.example.org/",
        "https://example..org/",
        "https://-example.org/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 127}example/",
        # Names in other scripts, and digits that some take for ASCII's.
        "https://bücher.example/",
        "https://ⓔxample.org/",
        "https://example。org/",
        f"http://127.0.0.{chr(0xFF11)}/",
        # Addresses as only some read them.
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://10.0.0.256/",
        "http://1.2.3.4.5/",
        "http://example.0x7f/",
        "http://[::1/",
        "http://[127.0.0.1]/",
        "http://::1/",
        "http://[127.0.0.1/",
        "http://[fe80::1%25eth0]/",
        "https://example.org:/",
        "https://example.org:0/",
        "https://example.org:65536/",
        "https://example.org:443x/",
        "https://example.org:-1/",
        f"https://example.org/{'x' * MAX_URL}",
        # The long s and the Kelvin sign, which are s and k to some who do not look at case.
        "http\u017f://example.org/",
        "https://ho\u017ft.example/",
        "https://hoo\u212a.example/",
    ],
)
def test_what_is_no_url_for_every_reader(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        Target.of(url)


@pytest.mark.parametrize(
    ("entry", "url", "is_allowed"),
    [
        ("example.org", "https://example.org/x", True),
        ("example.org", "http://example.org/x", True),
        ("example.org", "https://example.org:8443/", False),
        ("example.org", "http://example.org:443/", False),
        ("example.org", "https://www.example.org/", False),
        ("example.org", "https://example.org.evil.example/", False),
        ("example.org", "https://badexample.org/", False),
        ("EXAMPLE.org", "https://example.ORG/", True),
        ("example.org:8443", "https://example.org:8443/", True),
        ("example.org:8443", "https://example.org/", False),
        ("*.example.org", "https://a.example.org/", True),
        ("*.example.org", "https://a.b.example.org/", True),
        ("*.example.org", "https://example.org/", False),
        ("*.example.org", "https://badexample.org/", False),
        ("*.example.org", "http://127.0.0.1/", False),
        ("receiver:9000", "http://receiver:9000/", True),
        ("127.0.0.1", "http://127.0.0.1/", True),
        ("127.0.0.1:9000", "http://127.0.0.1:9000/", True),
        ("127.0.0.1", "http://127.0.0.2/", False),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]/", False),
        ("10.0.0.0/8", "http://10.200.0.1/", True),
        ("10.0.0.0/8", "http://11.0.0.1/", False),
        ("10.0.0.0/8", "http://example.org/", False),
        ("10.0.0.0/8:9000", "http://10.1.2.3:9000/", True),
        ("::1", "http://[::1]/", True),
        ("[::1]:9000", "http://[::1]:9000/", True),
        ("[::1]:9000", "http://[0:0:0:0:0:0:0:1]:9000/", True),
        ("[fd00::/8]:9000", "http://[fd00::7]:9000/", True),
        ("fd00::/8", "http://[fe80::7]/", False),
    ],
)
def test_url_is_of_the_list_by_name_and_port(entry: str, url: str, is_allowed: bool) -> None:
    hosts = WebhookHosts(["other.example", entry])
    assert hosts.allow(Target.of(url)) is is_allowed


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "*",
        "*.",
        "a.*.example",
        "https://example.org",
        "example.org/x",
        "me@example.org",
        "example.org.",
        "example.org:0",
        "example.org:x",
        "example.org:99999",
        "bücher.example",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "*.10.0.0.1",
        "*.127.0.0.1",
        "[::1",
        "[fe80::1%eth0]",
        "a b",
    ],
)
def test_entry_that_is_malformed(entry: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        HostEntry.of(entry)


LISTED = (
    "hooks.example.org",
    "receiver",
    "receiver:9000",
    "x.svc.cluster.local",
    "*.cluster.local",
    "*.internal:9000",
    "localhost",
    "10.9.0.0/16",
    "10.8.0.1:9000",
)


@pytest.mark.parametrize(
    ("host", "address", "may"),
    [
        ("hooks.example.org", "93.184.216.34", True),
        ("hooks.example.org", "2606:4700:4700::1111", True),
        ("hooks.example.org", "10.0.0.1", False),
        ("hooks.example.org", "127.0.0.1", False),
        ("hooks.example.org", "169.254.169.254", False),
        ("hooks.example.org", "::ffff:10.9.0.1", False),
        # The operator has listed the network itself.
        ("hooks.example.org", "10.9.0.1", True),
        ("10.9.0.1", "10.9.0.1", True),
        # A name of one's own network.
        ("receiver", "172.18.0.3", True),
        ("receiver", "fd00::3", True),
        ("receiver", "93.184.216.34", True),
        ("receiver", "127.0.0.1", False),
        ("receiver", "169.254.169.254", False),
        ("receiver", "100.100.100.200", False),
        ("x.svc.cluster.local", "10.0.0.1", True),
        ("localhost", "127.0.0.1", True),
        ("localhost", "::1", True),
        ("localhost", "10.0.0.1", False),
        # Some name servers answer such names with the address that they have in them.
        ("10-0-0-1.x.pod.cluster.local", "10.0.0.1", False),
        ("10-0-0-1.x.pod.cluster.local", "10.9.0.1", True),
        ("10-0-0-1.x.pod.cluster.local", "93.184.216.34", True),
        # Private by its number, but where a cloud keeps credentials.
        ("receiver", "fd00:ec2::254", False),
        ("receiver", "fd20:ce::254", False),
        ("receiver", "168.63.129.16", False),
        ("hooks.example.org", "168.63.129.16", False),
    ],
)
def test_where_a_name_may_lead_to(host: str, address: str, may: bool) -> None:
    assert WebhookHosts(LISTED).may_lead(host, 80, ip_address(address)) is may


@pytest.mark.parametrize(
    ("host", "port", "address", "may"),
    [
        ("hooks.example.org", 443, "10.9.0.1", True),
        ("hooks.example.org", 9000, "10.9.0.1", False),
        ("hooks.example.org", 443, "10.8.0.1", False),
        ("hooks.example.org", 9000, "10.8.0.1", True),
        ("receiver", 9000, "172.18.0.3", True),
        ("receiver", 9001, "172.18.0.3", False),
        ("x.internal", 9000, "172.18.0.3", False),
    ],
)
def test_entry_is_for_its_port_alone(host: str, port: int, address: str, may: bool) -> None:
    assert WebhookHosts(LISTED).may_lead(host, port, ip_address(address)) is may


def test_empty_list_allows_nothing() -> None:
    assert not WebhookHosts(()).allow(Target.of("https://example.org/"))
    assert not WebhookHosts(()).may_lead("10.0.0.1", 80, ip_address("10.0.0.1"))
