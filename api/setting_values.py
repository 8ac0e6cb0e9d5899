"""Types of the settings: how each is read from text, and the words for it in an error line."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, GetCoreSchemaHandler, SecretBytes
from pydantic.fields import FieldInfo
from pydantic_core.core_schema import CoreSchema, no_info_before_validator_function

from api.keys import key_digest
from api.webhook_hosts import HostEntry
from models.checkpoints.catalogue import checkpoint_name
from models.live.live_options import Delay

# What a BentoML model tag may be called.
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")
_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
# What browsers send for pages without an origin of their own: sandboxed ones and those of files,
# for which some web views say `file://`.
_WITHOUT_HOST = ("null", "file://")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?"
)


@dataclass(frozen=True)
class Text:
    """A parser of a variable's text (`ValueError` if malformed), and the words for good values."""

    parse: Callable[[str], object]
    wanted: str

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        """Pydantic's hook: the text is parsed before the type is checked."""
        return no_info_before_validator_function(self._read, handler(kind))

    def _read(self, value: object) -> object:
        return self.parse(value) if isinstance(value, str) else value


def wanted_text(field: FieldInfo) -> str:
    """The words for a setting's good values: those of its `Text`, or its `Literal`'s choices."""
    for each in field.metadata:
        if isinstance(each, Text):
            return each.wanted
    *choices, last = get_args(field.annotation)
    return f"{', '.join(choices)} or {last}"


def is_secret(field: FieldInfo) -> bool:
    """True if the value must not be shown."""
    return not field.repr


def whole(low: int, high: int, unit: str = "") -> Text:
    """A whole number from `low` to `high`."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise ValueError(value)
        return int(value)

    return Text(parse, f"a whole number {unit and f'of {unit} '}from {low} to {high}")


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(value)
        return value

    return parse


def _boolean(value: str) -> bool:
    if value.lower() not in _BOOLEANS:
        raise ValueError(value)
    return _BOOLEANS[value.lower()]


def _name(value: str) -> str:
    found = checkpoint_name(value)
    # whisper-1 means the default model, so it cannot say which one that is.
    if found == "whisper-1" or not _NAME.fullmatch(found):
        raise ValueError(value)
    return found


def _names(value: str) -> tuple[str, ...]:
    return tuple(_name(part.strip()) for part in value.split(","))


def _aliases(value: str) -> tuple[tuple[str, str], ...]:
    pairs = [part.partition("=") for part in value.split(",")]
    found = tuple((alias.strip(), _name(model.strip())) for alias, _, model in pairs)
    if any(not re.fullmatch(r"[!-~]{1,200}", alias) for alias, _ in found):
        raise ValueError(value)
    return found


def _key_digests(value: str) -> tuple[bytes, ...]:
    return tuple(key_digest(key.strip()) for key in value.split(","))


def _webhook_secrets(value: str) -> tuple[bytes, ...]:
    return tuple(_webhook_secret(part) for part in re.split(r"[\s,]+", value))


def _webhook_secret(value: str) -> bytes:
    """The key of a secret, in the form and of the sizes that Standard Webhooks has."""
    prefix, found, text = value.partition("whsec_")
    key = base64.b64decode(text, validate=True)
    if prefix or not found or not 24 <= len(key) <= 64:
        raise ValueError("not a secret")
    return key


def _webhook_hosts(value: str) -> tuple[str, ...]:
    entries = tuple(part.strip().lower() for part in value.split(","))
    for entry in entries:
        HostEntry.of(entry)
    return entries


def _host(value: str) -> str:
    return "127.0.0.1" if value == "localhost" else str(ipaddress.ip_address(value))


def _absolute_path(value: str) -> Path:
    path = Path(value)
    if not path.is_absolute():
        raise ValueError(value)
    return path


def _mirror(value: str) -> str:
    # a password in it would be shown, and stored as the source of a checkpoint
    if _URL.fullmatch(value) and "@" not in value:
        return value
    return str(_absolute_path(value))


def _dialects(value: str) -> tuple[str, ...]:
    names = () if value.lower() == "none" else tuple(part.strip() for part in value.split(","))
    if not set(names) <= set(DIALECTS):
        raise ValueError(value)
    return tuple(dict.fromkeys(names))


def _origins(value: str) -> tuple[str, ...]:
    return ("*",) if value == "*" else tuple(_origin(part.strip()) for part in value.split(","))


def _origin(value: str) -> str:
    """SCHEME://HOST[:PORT] as browsers send it: in small letters, without the scheme's own port.

    Or one of those that have no host.
    """
    if value.lower() in _WITHOUT_HOST:
        return value.lower()
    match = _ORIGIN.fullmatch(value.lower())
    if not match or int(match["port"] or 1) not in range(1, 65536):
        raise ValueError(value)
    if match["port"] == _DEFAULT_PORTS.get(match["scheme"]):
        return f"{match['scheme']}://{match['host']}"
    return match[0]


_DEVICE = _matching(re.compile(r"auto|cpu|cuda(:[0-9]{1,3})?"))
_COLLECTOR = "the http or https URL of a collector, such as http://127.0.0.1:4318"
_SECRETS = "whsec_ and 24 to 64 bytes in base64; several with commas or spaces between"
_HOSTS = "hosts such as example.org, *.example.org, receiver:9000 or 10.0.0.5, with commas between"
_KEYS = "keys of at least 8 visible ASCII characters, with commas between"

Dtype = Literal["auto", "float32", "float16", "bfloat16", "int8"]
PaddingSetting = Literal["auto", "full", "thin"]
LogFormat = Literal["text", "json"]
RealtimeDelay = Delay
DialectName = Literal["azure", "groq", "asr-webservice", "whisper-cpp", "json-body"]
DIALECTS: tuple[DialectName, ...] = get_args(DialectName)
Boolean = Annotated[bool, Text(_boolean, "true or false")]
Device = Annotated[str, Text(_DEVICE, "auto, cpu, cuda or cuda:N")]
Host = Annotated[str, Text(_host, "an IP address or localhost")]
Url = Annotated[str, Text(_matching(_URL), _COLLECTOR)]
# Absolute, so that it means the same in every process: workers may run in another directory.
AbsolutePath = Annotated[Path | None, Text(_absolute_path, "an absolute path")]
ModelMirror = Annotated[str, Text(_mirror, "an http or https URL or an absolute path")]
ModelName = Annotated[str, Text(_name, "the name of a model, such as base or large-v3-turbo")]
ModelNames = Annotated[
    tuple[str, ...],
    Text(_names, "names of models with commas between, such as base,tiny.en"),
]
NamesOnDemand = Annotated[
    tuple[str, ...], Text(_names, "names of models with commas between, or all")
]
Aliases = Annotated[
    tuple[tuple[str, str], ...],
    Text(_aliases, "pairs such as gpt-4o-transcribe=base, with commas between"),
]
ApiKeys = Annotated[tuple[bytes, ...], Text(_key_digests, _KEYS), Field(repr=False)]
WebhookSecrets = Annotated[
    tuple[SecretBytes, ...], Text(_webhook_secrets, _SECRETS), Field(repr=False)
]
WebhookHosts = Annotated[tuple[str, ...], Text(_webhook_hosts, _HOSTS)]
Dialects = Annotated[
    tuple[DialectName, ...],
    Text(_dialects, f"some of {', '.join(DIALECTS)}, or none"),
]
Origins = Annotated[
    tuple[str, ...],
    Text(_origins, "origins such as https://app.example.org, with commas between, or *"),
]
