"""Every environment variable the server reads, once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from api.setting_values import (
    Dtype,
    LogFormat,
    PaddingSetting,
    absolute_path,
    aliases,
    boolean,
    device,
    host,
    key_digests,
    name,
    names,
    one_of,
    origins,
    url,
    whole,
)
from models.errors import WhisperError
from models.options import Strategy

PREFIX = "WHISPER_"

T = TypeVar("T")


_ENVIRONMENT = {
    # How long a thread of the models busily waits for its next work before it sleeps: longer than
    # from one operation to the next, a fraction of a millisecond. GNU OpenMP's default is several,
    # in which it may keep from the core just the thread that it waits for.
    "GOMP_SPINCOUNT": "10000",
    # BentoML would show one and the same GPU to all workers; each takes one of its own.
    "BENTOML_DISABLE_GPU_ALLOCATION": "1",
    # glibc has a heap for each thread, and each keeps what was freed there.
    "MALLOC_ARENA_MAX": "2",
    # oneDNN keeps 1,024 kernels, each made for one size of bfloat16 inputs: 100 MiB and more, where
    # every length of sound is a size of its own. Making one anew costs far less than a window.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
}

_PACKAGE_SOURCES = ("UV_TORCH_BACKEND", "UV_FIND_LINKS", "UV_INDEX", "UV_EXTRA_INDEX_URL")


def prepare_environment() -> None:
    """Set what PyTorch, BentoML and the workers' libc read of it, unless it is set already."""
    for variable, value in _ENVIRONMENT.items():
        os.environ.setdefault(variable, value)


def names_package_sources(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether uv, which locks a bento's packages, is told where else than on PyPI they may be."""
    return any(environ.get(variable) for variable in _PACKAGE_SOURCES)


def hand_down_scratch(path: Path) -> None:
    """Tell the processes that are started from now on where temporary files go."""
    os.environ["TMPDIR"] = str(path)


def metrics_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where BentoML has its workers keep what they count; None outside of them."""
    folder = environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(folder) if folder else None


class SettingError(WhisperError):
    """Environment variables are malformed; one line each with name, value and what was wanted."""


def _setting(
    default: T,
    parse: Callable[[str], Any],
    wanted: str,
    description: str,
    *,
    secret: bool = False,
) -> T:
    metadata = {"parse": parse, "wanted": wanted, "description": description, "secret": secret}
    return field(default=default, metadata=metadata, repr=not secret)


def _shown(default: object) -> str:
    """A default as the variable would give it."""
    if default is None or default == ():
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


@dataclass(frozen=True)
class Settings:
    """What the environment says; the field `port` is the variable `WHISPER_PORT`."""

    device: str = _setting(
        "auto",
        device,
        "auto, cpu, cuda or cuda:N",
        "Where the models run: `auto` (CUDA if there is one), `cpu`, `cuda` or `cuda:N`. With "
        "`auto` and `cuda` each GPU has a worker of its own.",
    )
    dtype: Dtype = _setting(  # noqa: RUF009 - text, which does not change
        "auto",
        one_of(Dtype),
        "auto, float32, float16, bfloat16 or int8",
        "Precision: `auto` is the fastest, on a CPU `int8` where it can and on CUDA `float16`; or "
        "`float32` (openai-whisper's exact tokens), `bfloat16`.",
    )
    padding: PaddingSetting = _setting(  # noqa: RUF009 - text, which does not change
        "auto",
        one_of(PaddingSetting),
        "auto, full or thin",
        "The silence that fills a short recording up to 30 s: computed in `full`, or `thin`, an "
        "eighth of it for all. `auto` is thin on a CPU unless `WHISPER_DTYPE` is `float32`.",
    )
    strategy: Strategy = _setting(  # noqa: RUF009 - text, which does not change
        "auto",
        one_of(Strategy),
        "auto, sequential or parallel",
        "How a recording is decoded: `sequential`, one window after the other as openai-whisper "
        "does; `parallel`, the speech found first and its windows side by side; `auto`, in "
        "parallel if it is longer than 30 s.",
    )
    default_model: str = _setting(
        "base",
        name,
        "the name of a model, such as base or large-v3-turbo",
        "The model that `whisper-1` means.",
    )
    models: tuple[str, ...] = _setting(
        (),
        names,
        "names of models with commas between, such as base,tiny.en",
        "Models to load at start, with commas between; the default model is always one of them. "
        "Empty: only the default model.",
    )
    on_demand: tuple[str, ...] = _setting(
        (),
        names,
        "names of models with commas between, or all",
        "More models, with commas between, that are loaded on the first request for them; `all`: "
        "every model in the store.",
    )
    idle_seconds: int = _setting(
        0,
        whole(0, 1_000_000),
        "a whole number of seconds from 0 to 1000000",
        "Seconds without a request after which a model of `WHISPER_ON_DEMAND` is unloaded; "
        "0: never. Those loaded at start stay.",
    )
    memory_mib: int = _setting(
        0,
        whole(0, 100_000_000),
        "a whole number of MiB from 0 to 100000000",
        "MiB for the weights and caches of all loaded models of a worker; for a new one, those of "
        "`WHISPER_ON_DEMAND` that were not used for longest are unloaded. 0: no limit.",
    )
    aliases: tuple[tuple[str, str], ...] = _setting(
        (),
        aliases,
        "pairs such as gpt-4o-transcribe=base, with commas between",
        "More ids for models that are served, as `ID=MODEL` with commas between, such as "
        "`gpt-4o-transcribe=base`.",
    )
    api_keys: tuple[bytes, ...] = _setting(
        (),
        key_digests,
        "keys of at least 8 visible ASCII characters, with commas between",
        "Keys of at least 8 characters that clients must send one of, with commas between; empty, "
        "and without a file of keys: everybody may use the server.",
        secret=True,
    )
    api_keys_file: Path | None = _setting(  # noqa: RUF009 - a path, which does not change
        None,
        absolute_path,
        "an absolute path",
        "A file of more keys, `NAME:KEY` a line, which is read again when it changes.",
    )
    allow_anyone: bool = _setting(
        False,
        boolean,
        "true or false",
        "Whether a server without keys may listen on other addresses than this machine's own.",
    )
    cors_origins: tuple[str, ...] = _setting(
        (),
        origins,
        "origins such as https://app.example.org, with commas between, or *",
        "Origins whose web pages may use the server, with commas between; `*`: all.",
    )
    max_upload_mib: int = _setting(
        25,
        whole(0, 1_000_000),
        "a whole number of MiB from 0 to 1000000",
        "Largest request body in MiB; 25 is OpenAI's limit. 0: any size.",
    )
    max_audio_seconds: int = _setting(
        43_200,
        whole(0, 100_000_000),
        "a whole number of seconds from 0 to 100000000",
        "Longest recording in seconds, 12 hours by default; a longer one is refused, where its "
        "header tells it at once. 0: any length.",
    )
    host: str = _setting(
        "127.0.0.1",
        host,
        "an IP address or localhost",
        "IP address to listen on; `0.0.0.0` lets other machines in, which needs keys.",
    )
    port: int = _setting(
        8000, whole(1, 65535), "a whole number from 1 to 65535", "TCP port to listen on."
    )
    slots: int = _setting(
        0,
        whole(0, 256),
        "a whole number from 0 to 256",
        "Windows decoded at once; each holds memory (see the models table). 0: 16 in int8, "
        "where they are small, otherwise 8.",
    )
    threads: int = _setting(
        0,
        whole(0, 1024),
        "a whole number from 0 to 1024",
        "CPU threads for the models, fewer while other processes keep the cores busy; 0 takes all "
        "cores.",
    )
    timeout: int = _setting(
        3600, whole(1, 86400), "a whole number from 1 to 86400", "Seconds a request may take."
    )
    queue_seconds: int = _setting(
        14_400,
        whole(60, 100_000_000),
        "a whole number of seconds from 60 to 100000000",
        "Seconds of audio that may wait and be worked on together; beyond them requests get a 503 "
        "with `Retry-After`.",
    )
    short_wait_seconds: int = _setting(
        0,
        whole(0, 86400),
        "a whole number from 0 to 86400",
        "Seconds that a recording of up to 30 s may have to wait for those before it; with more it "
        "gets a 503 with `Retry-After` at once. 0: it waits as long as the queue lets it.",
    )
    shutdown_seconds: int = _setting(
        20,
        whole(0, 86400),
        "a whole number from 0 to 86400",
        "Seconds that running requests have to finish when the server is told to end.",
    )
    log_format: LogFormat = _setting(  # noqa: RUF009 - text, which does not change
        "text",
        one_of(LogFormat),
        "text or json",
        "How the server logs: `text`, or `json`, one object a line.",
    )
    otlp_endpoint: str = _setting(
        "",
        url,
        "the http or https URL of a collector, such as http://127.0.0.1:4318",
        "OpenTelemetry collector that is sent a span for each request and its stages, such as "
        "`http://127.0.0.1:4318`; empty: none.",
    )

    def __post_init__(self) -> None:
        names = dict.fromkeys((self.default_model, *self.models))
        object.__setattr__(self, "models", tuple(names))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ, **defaults: str) -> Settings:
        """Settings from `WHISPER_*` variables; an empty value counts as not given.

        `defaults` are other values for those not given, by the setting's name.

        Raises:
            SettingError: values are malformed; all of them are named.
        """
        values: dict[str, Any] = {}
        problems: list[str] = []
        for setting in fields(cls):
            variable = PREFIX + setting.name.upper()
            given = environ.get(variable, "").strip() or defaults.get(setting.name, "")
            if not given:
                continue
            try:
                values[setting.name] = setting.metadata["parse"](given)
            except ValueError:
                shown = "..." if setting.metadata["secret"] else repr(given)
                problems.append(f"{variable}={shown}: wanted {setting.metadata['wanted']}")
        if problems:
            raise SettingError("\n".join(problems))
        return cls(**values)

    @classmethod
    def table(cls) -> list[tuple[str, str, str]]:
        """Name, default and description of every variable, as the README's table has them."""
        return [
            (
                PREFIX + setting.name.upper(),
                _shown(setting.default),
                setting.metadata["description"],
            )
            for setting in fields(cls)
        ]
