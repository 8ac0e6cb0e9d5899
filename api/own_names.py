"""Names of one's own network: those that nobody can register."""

from __future__ import annotations

# Of mDNS (RFC 6762), of loopback (RFC 6761), of private networks (RFC 8375; ICANN reserved
# `internal`; routers use `lan`, which is no domain of the internet).
_RESERVED_SUFFIXES = (".local", ".localhost", ".home.arpa", ".internal", ".lan")


def is_own_name(name: str) -> bool:
    """True for a name without dots, and for one below a reserved domain."""
    return bool(name) and ("." not in name or name.endswith(_RESERVED_SUFFIXES))
