"""Every environment variable the server reads, once."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar, cast, get_args

from api.access import key_digest
from models.catalogue import checkpoint_name
from models.errors import WhisperError
from models.options import Strategy

PREFIX = "WHISPER_"
# What a BentoML model tag may be called.
NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")

T = TypeVar("T")


# How long a thread of the models busily waits for the others before it sleeps. GNU OpenMP's
# default is milliseconds, in which it keeps from the core just the thread that it waits for.
_OPENMP = {"GOMP_SPINCOUNT": "1000"}


def prepare_openmp() -> None:
    """Set how threads wait, unless the environment does; PyTorch reads it when it is imported."""
    for name, value in _OPENMP.items():
        os.environ.setdefault(name, value)


class SettingError(WhisperError):
    """Environment variables are malformed; one line each with name, value and what was wanted."""


def _device(value: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", value):
        raise ValueError(value)
    return value


def _dtype(value: str) -> str:
    if value not in ("auto", "float32", "float16", "bfloat16", "int8"):
        raise ValueError(value)
    return value


def _padding(value: str) -> Literal["auto", "full", "thin"]:
    if value not in ("auto", "full", "thin"):
        raise ValueError(value)
    return cast("Literal['auto', 'full', 'thin']", value)


def _strategy(value: str) -> Strategy:
    if value not in get_args(Strategy):
        raise ValueError(value)
    return cast("Strategy", value)


def _name(value: str) -> str:
    name = checkpoint_name(value)
    # whisper-1 means the default model, so it cannot say which one that is.
    if name == "whisper-1" or not NAME.fullmatch(name):
        raise ValueError(value)
    return name


def _names(value: str) -> tuple[str, ...]:
    return tuple(_name(part.strip()) for part in value.split(","))


def _aliases(value: str) -> tuple[tuple[str, str], ...]:
    pairs = [part.partition("=") for part in value.split(",")]
    found = tuple((alias.strip(), _name(name.strip())) for alias, _, name in pairs)
    if any(not re.fullmatch(r"[!-~]{1,200}", alias) for alias, _ in found):
        raise ValueError(value)
    return found


def _keys(value: str) -> tuple[bytes, ...]:
    keys = [key.strip() for key in value.split(",")]
    if any(not re.fullmatch(r"[!-~]{8,}", key) for key in keys):
        raise ValueError(value)
    return tuple(map(key_digest, keys))


def _host(value: str) -> str:
    return "127.0.0.1" if value == "localhost" else str(ipaddress.ip_address(value))


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise ValueError(value)
        return int(value)

    return parse


def _setting(
    default: T,
    parse: Callable[[str], T],
    wanted: str,
    description: str,
    *,
    secret: bool = False,
) -> T:
    metadata = {"parse": parse, "wanted": wanted, "description": description, "secret": secret}
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True)
class Settings:
    """What the environment says; the field `port` is the variable `WHISPER_PORT`."""

    device: str = _setting(
        "auto",
        _device,
        "auto, cpu, cuda or cuda:N",
        "Where the models run: `auto` (CUDA if there is one), `cpu`, `cuda` or `cuda:N`. With "
        "`auto` and `cuda` each GPU has a worker of its own.",
    )
    dtype: str = _setting(
        "auto",
        _dtype,
        "auto, float32, float16, bfloat16 or int8",
        "Precision: `auto` is the fastest, on a CPU `int8` where it can and on CUDA `float16`; or "
        "`float32` (openai-whisper's exact tokens), `bfloat16`.",
    )
    padding: Literal["auto", "full", "thin"] = _setting(
        "auto",
        _padding,
        "auto, full or thin",
        "The silence that fills a short recording up to 30 s: computed in `full`, or `thin`, an "
        "eighth of it for all. `auto` is thin on a CPU unless `WHISPER_DTYPE` is `float32`.",
    )
    strategy: Strategy = _setting(  # noqa: RUF009 - text, which does not change
        "auto",
        _strategy,
        "auto, sequential or parallel",
        "How a recording is decoded: `sequential`, one window after the other as openai-whisper "
        "does; `parallel`, the speech found first and its windows side by side; `auto`, in "
        "parallel if it is longer than 30 s.",
    )
    default_model: str = _setting(
        "base",
        _name,
        "the name of a model, such as base or large-v3-turbo",
        "The model that `whisper-1` means.",
    )
    models: tuple[str, ...] = _setting(
        (),
        _names,
        "names of models with commas between, such as base,tiny.en",
        "Models to load at start, with commas between; the default model is always one of them. "
        "Empty: only the default model.",
    )
    on_demand: tuple[str, ...] = _setting(
        (),
        _names,
        "names of models with commas between, or all",
        "More models, with commas between, that are loaded on the first request for them; `all`: "
        "every model in the store.",
    )
    idle_seconds: int = _setting(
        0,
        _whole(0, 1_000_000),
        "a whole number of seconds from 0 to 1000000",
        "Seconds without a request after which a model of `WHISPER_ON_DEMAND` is unloaded; "
        "0: never. Those loaded at start stay.",
    )
    memory_mib: int = _setting(
        0,
        _whole(0, 100_000_000),
        "a whole number of MiB from 0 to 100000000",
        "MiB for the weights and caches of all loaded models of a worker; for a new one, those of "
        "`WHISPER_ON_DEMAND` that were not used for longest are unloaded. 0: no limit.",
    )
    aliases: tuple[tuple[str, str], ...] = _setting(
        (),
        _aliases,
        "pairs such as gpt-4o-transcribe=base, with commas between",
        "More ids for models that are served, as `ID=MODEL` with commas between, such as "
        "`gpt-4o-transcribe=base`.",
    )
    api_keys: tuple[bytes, ...] = _setting(
        (),
        _keys,
        "keys of at least 8 visible ASCII characters, with commas between",
        "Keys that clients must send one of, with commas between; empty: everybody may use the "
        "server.",
        secret=True,
    )
    max_upload_mib: int = _setting(
        25,
        _whole(0, 1_000_000),
        "a whole number of MiB from 0 to 1000000",
        "Largest request body in MiB; 25 is OpenAI's limit. 0: any size.",
    )
    host: str = _setting(
        "127.0.0.1",
        _host,
        "an IP address or localhost",
        "IP address to listen on; `0.0.0.0` lets other machines in.",
    )
    port: int = _setting(
        8000, _whole(1, 65535), "a whole number from 1 to 65535", "TCP port to listen on."
    )
    slots: int = _setting(
        0,
        _whole(0, 256),
        "a whole number from 0 to 256",
        "Windows decoded at once; each holds memory (see the models table). 0: 16 in int8, "
        "where they are small, otherwise 8.",
    )
    threads: int = _setting(
        0,
        _whole(0, 1024),
        "a whole number from 0 to 1024",
        "CPU threads for the models; 0 takes all cores.",
    )
    timeout: int = _setting(
        3600, _whole(1, 86400), "a whole number from 1 to 86400", "Seconds a request may take."
    )

    def __post_init__(self) -> None:
        names = dict.fromkeys((self.default_model, *self.models))
        object.__setattr__(self, "models", tuple(names))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Settings from `WHISPER_*` variables; an empty value counts as not given.

        Raises:
            SettingError: values are malformed; all of them are named.
        """
        values: dict[str, Any] = {}
        problems: list[str] = []
        for setting in fields(cls):
            name = PREFIX + setting.name.upper()
            given = environ.get(name, "").strip()
            if not given:
                continue
            try:
                values[setting.name] = setting.metadata["parse"](given)
            except ValueError:
                shown = "..." if setting.metadata["secret"] else repr(given)
                problems.append(f"{name}={shown}: wanted {setting.metadata['wanted']}")
        if problems:
            raise SettingError("\n".join(problems))
        return cls(**values)

    @classmethod
    def table(cls) -> list[tuple[str, str, str]]:
        """Name, default and description of every variable, as the README's table has them."""
        return [
            (
                PREFIX + setting.name.upper(),
                "" if setting.default == () else str(setting.default),
                setting.metadata["description"],
            )
            for setting in fields(cls)
        ]
