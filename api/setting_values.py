"""Text of environment variables -> values; a `ValueError` where it is malformed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from api.keys import key_digest
from models.checkpoints.catalogue import checkpoint_name

Dtype = Literal["auto", "float32", "float16", "bfloat16", "int8"]
PaddingSetting = Literal["auto", "full", "thin"]
LogFormat = Literal["text", "json"]

# What a BentoML model tag may be called.
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")
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


def one_of(kind: object) -> Callable[[str], str]:
    """One of the words of a `Literal`."""

    def parse(value: str) -> str:
        if value not in get_args(kind):
            raise ValueError(value)
        return value

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number from `low` to `high`."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise ValueError(value)
        return int(value)

    return parse


def device(value: str) -> str:
    """What PyTorch calls a CPU or a GPU, or auto."""
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", value):
        raise ValueError(value)
    return value


def name(value: str) -> str:
    """A checkpoint's name."""
    found = checkpoint_name(value)
    # whisper-1 means the default model, so it cannot say which one that is.
    if found == "whisper-1" or not _NAME.fullmatch(found):
        raise ValueError(value)
    return found


def names(value: str) -> tuple[str, ...]:
    """Checkpoints' names with commas between."""
    return tuple(name(part.strip()) for part in value.split(","))


def aliases(value: str) -> tuple[tuple[str, str], ...]:
    """ID=MODEL with commas between: each id, and the name of its checkpoint."""
    pairs = [part.partition("=") for part in value.split(",")]
    found = tuple((alias.strip(), name(model.strip())) for alias, _, model in pairs)
    if any(not re.fullmatch(r"[!-~]{1,200}", alias) for alias, _ in found):
        raise ValueError(value)
    return found


def key_digests(value: str) -> tuple[bytes, ...]:
    """What is kept of keys with commas between."""
    return tuple(key_digest(key.strip()) for key in value.split(","))


def url(value: str) -> str:
    """The http or https URL of a server."""
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
        raise ValueError(value)
    return value


def host(value: str) -> str:
    """An IP address."""
    return "127.0.0.1" if value == "localhost" else str(ipaddress.ip_address(value))


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
