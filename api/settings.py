"""The environment, read once: the settings, and the variables of libraries."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Self

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from api.setting_values import (
    DIALECTS,
    AbsolutePath,
    Aliases,
    ApiKeys,
    Boolean,
    Device,
    Dialects,
    Dtype,
    Host,
    LogFormat,
    ModelMirror,
    ModelName,
    ModelNames,
    NamesOnDemand,
    Origins,
    PaddingSetting,
    RealtimeDelay,
    Url,
    WebhookHosts,
    WebhookSecrets,
    is_secret,
    wanted_text,
    whole,
)
from models.errors import WhisperError
from models.options import Strategy

PREFIX = "WHISPER_"
ENV_FILE = ".env"

_ENVIRONMENT = {
    # How long a thread of the models busily waits for its next work before it sleeps: longer than
    # from one operation to the next, a fraction of a millisecond. GNU OpenMP's default is several,
    # in which it may keep from the core just the thread that it waits for.
    "GOMP_SPINCOUNT": "10000",
    # BentoML would show one and the same GPU to all workers; each takes one of its own.
    "BENTOML_DISABLE_GPU_ALLOCATION": "1",
    # glibc has a heap for each thread, and each keeps what was freed there.
    "MALLOC_ARENA_MAX": "2",
    # oneDNN keeps 1,024 kernels, each made for one size of inputs, and PyTorch's layer above it
    # (ideep) as many again: hundreds of MiB, where every length of sound is a size of its own.
    # Making one anew costs far less than a window.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
    "LRU_CACHE_CAPACITY": "16",
}

# From the parent to its workers.
_LISTENER = "WHISPER_WYOMING_LISTENER"
_SIGNING_KEY = "WHISPER_REALTIME_SIGNING_KEY"


def prepare_environment() -> None:
    """Set the variables of PyTorch, BentoML and libc, unless they are set already."""
    for variable, value in _ENVIRONMENT.items():
        os.environ.setdefault(variable, value)


@contextmanager
def changed_environment(
    change: Callable[[Mapping[str, str]], Mapping[str, str]],
) -> Iterator[None]:
    """For the block, and processes started in it: variables made of those that there are."""
    before = dict(os.environ)
    os.environ.update(change(before))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def hand_down_scratch(path: Path) -> None:
    """Tell the processes that are started from now on where temporary files go."""
    os.environ["TMPDIR"] = str(path)


def hand_down_listener(descriptor: int) -> None:
    """Tell the processes that are started from now on which descriptor Wyoming's socket has."""
    os.environ[_LISTENER] = str(descriptor)


def handed_down_listener(environ: Mapping[str, str] = os.environ) -> int | None:
    """The descriptor of Wyoming's socket; None: there is no parent that has opened one."""
    text = environ.get(_LISTENER)
    return int(text) if text else None


def hand_down_signing_key() -> None:
    """Give the workers that are started from now on a new key, which signs client secrets."""
    os.environ[_SIGNING_KEY] = os.urandom(32).hex()


def handed_down_signing_key(environ: Mapping[str, str] = os.environ) -> bytes:
    """The key of all workers of a server; one of this process alone, where there is no parent."""
    text = environ.get(_SIGNING_KEY)
    return bytes.fromhex(text) if text else os.urandom(32)


def metrics_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of the workers' metrics files, which BentoML sets; None outside of them."""
    folder = environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(folder) if folder else None


def bentoml_home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of BentoML's files, as BentoML finds it."""
    return Path(environ.get("BENTOML_HOME") or Path.home() / "bentoml")


class SettingError(WhisperError):
    """Malformed environment variables, a line each: name, value and the values wanted."""


class Settings(BaseModel):
    """The server's settings; the field `port` is the variable `WHISPER_PORT`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    device: Device = "auto"
    """Where the models run: `auto` (CUDA if there is one), `cpu`, `cuda` or `cuda:N`. With
    `auto` and `cuda` each GPU has a worker of its own."""
    dtype: Dtype = "auto"
    """Precision: `auto` is the fastest, on a CPU `int8` where it can and on CUDA `float16`; or
    `float32` (openai-whisper's exact tokens), `bfloat16`."""
    padding: PaddingSetting = "auto"
    """The silence that fills a short recording up to 30 s: computed in `full`, or `thin`, an
    eighth of it for all. `auto` is thin on a CPU unless `WHISPER_DTYPE` is `float32`."""
    strategy: Strategy = "auto"
    """How a recording is decoded: `sequential`, one window after the other as openai-whisper
    does; `parallel`, the speech found first and its windows side by side; `auto`, in parallel
    if it is longer than 30 s."""
    default_model: ModelName = "base"
    """The model that `whisper-1` means."""
    models: ModelNames = ()
    """Models to load at start, with commas between; the default model is always one of them.
    Empty: only the default model."""
    on_demand: NamesOnDemand = ()
    """More models, with commas between, that are loaded on the first request for them; `all`:
    every model in the store."""
    idle_seconds: Annotated[int, whole(0, 1_000_000, "seconds")] = 0
    """Seconds without a request after which a model of `WHISPER_ON_DEMAND` is unloaded; 0:
    never. Those loaded at start stay."""
    memory_mib: Annotated[int, whole(0, 100_000_000, "MiB")] = 0
    """MiB for the weights and caches of all loaded models of a worker; for a new one, those of
    `WHISPER_ON_DEMAND` that were not used for longest are unloaded. 0: no limit."""
    aliases: Aliases = ()
    """More ids for models that are served, as `ID=MODEL` with commas between, such as
    `gpt-4o-transcribe=base`; they come before what ids of OpenAI's mean without it, which is the
    default model."""
    model_mirror: ModelMirror = ""
    """URL or directory with the site's own copies of models, which imports ask first: `SHA256SUMS`
    and `NAME.safetensors` or `NAME.pt`; empty: none."""
    api_keys: ApiKeys = ()
    """Keys of at least 8 characters that clients must send one of, with commas between; empty,
    and without a file of keys: everybody may use the server."""
    api_keys_file: AbsolutePath = None
    """A file of more keys, `NAME:KEY` a line, which is read again when it changes."""
    allow_anyone: Boolean = False
    """Whether a server may listen without keys on other addresses than this machine's own."""
    cors_origins: Origins = ()
    """Origins whose web pages may use the server, with commas between, such as
    `https://app.example.org` or an app's `app://obsidian.md`; `null`: pages without one; `*`:
    all."""
    dialects: Dialects = DIALECTS
    """Other APIs that are served beside OpenAI's, with commas between; `none`: none of them."""
    max_upload_mib: Annotated[int, whole(0, 1_000_000, "MiB")] = 25
    """Largest request body in MiB; 25 is OpenAI's limit. 0: any size."""
    max_pcm_seconds: Annotated[int, whole(0, 100_000_000, "seconds")] = 14_400
    """Longest samples without a header in seconds, 4 hours by default, as Bazarr sends a film's:
    their body, 32,000 bytes a second, has no other limit. 0: any length."""
    max_audio_seconds: Annotated[int, whole(0, 100_000_000, "seconds")] = 43_200
    """Longest recording in seconds, 12 hours by default; a longer one is refused, where its
    header tells it at once. 0: any length."""
    host: Host = "127.0.0.1"
    """IP address to listen on; `0.0.0.0` lets other machines in, which needs keys."""
    port: Annotated[int, whole(1, 65535)] = 8000
    """TCP port to listen on."""
    wyoming_port: Annotated[int, whole(0, 65535)] = 0
    """TCP port for Home Assistant and others that speak Wyoming, usually 10300; 0: none."""
    wyoming_host: Host = "127.0.0.1"
    """IP address for Wyoming. It has no keys: another address than this machine's own needs
    `WHISPER_ALLOW_ANYONE`, whether there are keys for HTTP or not."""
    slots: Annotated[int, whole(0, 256)] = 0
    """Windows decoded at once; each holds memory (see the models table). 0: 16 in int8, where
    they are small, otherwise 8."""
    threads: Annotated[int, whole(0, 1024)] = 0
    """CPU threads for the models, fewer while other processes keep the cores busy; 0 takes all
    cores."""
    timeout: Annotated[int, whole(1, 86400)] = 3600
    """Seconds a request may take."""
    queue_seconds: Annotated[int, whole(60, 100_000_000, "seconds")] = 14_400
    """Seconds of audio that may wait and be worked on together; beyond them requests get a 503
    with `Retry-After`."""
    short_wait_seconds: Annotated[int, whole(0, 86400)] = 0
    """Seconds that a recording of up to 30 s may have to wait for those before it; with more
    it gets a 503 with `Retry-After` at once. 0: it waits as long as the queue lets it."""
    shutdown_seconds: Annotated[int, whole(0, 86400)] = 20
    """Seconds that running requests have to finish when the server is told to end."""
    realtime_sessions: Annotated[int, whole(1, 100_000)] = 100
    """Live sessions at once, of a worker; a key has at most half of them. More get a 503 with
    `Retry-After`."""
    realtime_seconds: Annotated[int, whole(1, 86400)] = 3600
    """Seconds that a live session may last; its turns are completed first."""
    realtime_delay: RealtimeDelay = "medium"
    """How long text of a live session may wait before it is settled, unless the client says:
    `minimal`, `low`, `medium`, `high`, or `xhigh`, until the turn is over. `whisper-1` has `xhigh`,
    as OpenAI's."""
    log_format: LogFormat = "text"
    """How the server logs: `text`, or `json`, one object a line."""
    jobs: Boolean = True
    """Whether requests may have `background=true`: their answer is fetched later, and outlives a
    restart."""
    jobs_dir: AbsolutePath = None
    """Folder of background jobs, on a disk of this machine, which nothing else clears; empty:
    `jobs` in `BENTOML_HOME`."""
    jobs_seconds: Annotated[int, whole(60, 100_000_000, "seconds")] = 360_000
    """Seconds of audio that may wait and be worked on in background jobs, 100 hours by default;
    beyond them new ones get a 503 with `Retry-After`."""
    jobs_expire_seconds: Annotated[int, whole(60, 100_000_000, "seconds")] = 86_400
    """Seconds after the end of a background job, a day by default, after which it is removed with
    its result; a job may ask for fewer."""
    jobs_disk_mib: Annotated[int, whole(0, 100_000_000, "MiB")] = 4_096
    """MiB of the recordings, results and fields of background jobs; beyond them new ones get a 503
    with `Retry-After`. 0: no limit."""
    webhook_hosts: WebhookHosts = ()
    """Hosts that the events of background jobs may be sent to, with commas between: names, all
    names below one as `*.example.org`, addresses or networks, with a port if it is not 80 or 443.
    Empty: no webhooks."""
    webhook_secret: WebhookSecrets = ()
    """What webhooks are signed by, as in Standard Webhooks: `whsec_` and 24 to 64 bytes in base64.
    With several, commas or spaces between, each event is signed by all of them."""
    otlp_endpoint: Url = ""
    """OpenTelemetry collector that is sent a span for each request and its stages, such as
    `http://127.0.0.1:4318`; empty: none."""

    @model_validator(mode="after")
    def _load_default_model_first(self) -> Self:
        names = dict.fromkeys((self.default_model, *self.models))
        object.__setattr__(self, "models", tuple(names))
        return self

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None, **defaults: str) -> Settings:
        """Settings from `WHISPER_*` variables; an empty value counts as not given.

        `environ` is the process's own if it is None, completed by the file `.env`. `defaults` are
        other values for those not given, by the setting's name.

        Raises:
            SettingError: values are malformed; all of them are named.
        """
        given = _complete_environment() if environ is None else environ
        texts = {
            name: given.get(_variable(name), "").strip() or defaults.get(name, "")
            for name in cls.model_fields
        }
        try:
            return cls.model_validate({name: text for name, text in texts.items() if text})
        except ValidationError as error:
            lines = [cls._problem(str(each["loc"][0]), each["input"]) for each in error.errors()]
        raise SettingError("\n".join(lines))

    @classmethod
    def table(cls) -> list[tuple[str, str, str]]:
        """Name, default and description of every variable, as the README's table has them."""
        return [
            (_variable(name), _shown(field.default), " ".join((field.description or "").split()))
            for name, field in cls.model_fields.items()
        ]

    @classmethod
    def _problem(cls, name: str, text: str) -> str:
        field = cls.model_fields[name]
        shown = "..." if is_secret(field) else repr(text)
        return f"{_variable(name)}={shown}: wanted {wanted_text(field)}"


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _shown(default: object) -> str:
    """A default as the variable would give it."""
    if default is None:
        return ""
    if isinstance(default, tuple):
        return ",".join(default)
    return str(default).lower() if isinstance(default, bool) else str(default)


def _complete_environment() -> Mapping[str, str]:
    """The process's environment, with the settings it has not from `.env` in the working directory.

    BentoML loads the service in the checkout. All settings are set then, if need be to nothing:
    workers have them from the environment alone, whatever has become of the file meanwhile.
    """
    try:
        lines = dotenv_values(ENV_FILE, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{ENV_FILE} cannot be read: {error}") from error
    for name in Settings.model_fields:
        os.environ.setdefault(_variable(name), lines.get(_variable(name)) or "")
    return os.environ
