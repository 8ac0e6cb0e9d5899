"""Text of environment variables -> values; a `ValueError` where it is malformed."""

from __future__ import annotations

import re
from pathlib import Path

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?"
)


def boolean(value: str) -> bool:
    """True or false, also as 1 and 0 or yes and no, in any case."""
    if value.lower() not in _BOOLEANS:
        raise ValueError(value)
    return _BOOLEANS[value.lower()]


def absolute_path(value: str) -> Path:
    """A path that means the same in every process: workers may run in another directory."""
    path = Path(value)
    if not path.is_absolute():
        raise ValueError(value)
    return path


def origins(value: str) -> tuple[str, ...]:
    """Origins with commas between, or `*` alone."""
    return ("*",) if value == "*" else tuple(_origin(part.strip()) for part in value.split(","))


def _origin(value: str) -> str:
    """SCHEME://HOST[:PORT] as browsers send it: in small letters, without the scheme's own port."""
    match = _ORIGIN.fullmatch(value.lower())
    if not match or int(match["port"] or 1) not in range(1, 65536):
        raise ValueError(value)
    if match["port"] == _DEFAULT_PORTS.get(match["scheme"]):
        return f"{match['scheme']}://{match['host']}"
    return match[0]
