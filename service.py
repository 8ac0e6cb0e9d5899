"""The BentoML service: settings, store, engine and API put together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import bentoml
import click
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.server.http import traffic
from bentoml.exceptions import BentoMLException
from uvicorn.config import HTTP_PROTOCOLS

from api.access import access_problem
from api.app import create_app
from api.draining import Drain
from api.edge import Edge
from api.logs import log_as_json, log_request
from api.metrics import Metrics, watch
from api.native import Language, ModelId, Prompt, answer_natively
from api.observe import Observer
from api.parameters import Temperature, TranscriptionRequest, TranslationRequest
from api.port import port_problem
from api.schemas import TranscriptionVerbose
from api.served import ServedModel, ServedModels
from api.settings import (
    SettingError,
    Settings,
    hand_down_scratch,
    metrics_folder,
    prepare_openmp,
)
from models import store
from models.admission import Admission
from models.engine.config import MOST_SLOTS
from models.errors import WhisperError
from processes.supervisor import supervise
from processes.worker import drain_before_exit, join_parent

if TYPE_CHECKING:
    from _bentoml_sdk import Service
    from starlette.types import ASGIApp

    from models.audio.sandbox.reader import Sandbox
    from models.transcriber import Transcriber

VERSION = "0.1.0"

# BentoML drops what other loggers say below WARNING.
logger = logging.getLogger("bentoml.whisper")


def read_settings() -> Settings:
    """The settings; malformed ones end the start with a line each."""
    try:
        return Settings.from_environ()
    except SettingError as error:
        raise BentoMLException(error.message) from None


def find_checkpoints(settings: Settings) -> list[store.StoredCheckpoint]:
    """The checkpoints to load, the default one first; a missing one ends the start."""
    try:
        found = {name: store.find(name) for name in settings.models}
    except WhisperError as error:
        raise BentoMLException(error.message) from error
    missing = [name for name, checkpoint in found.items() if checkpoint is None]
    if missing:
        raise BentoMLException(
            f"not in the model store: {', '.join(missing)}. "
            f"Import with: python -m scripts.import_model {missing[0]}"
        )
    return [checkpoint for checkpoint in found.values() if checkpoint is not None]


def start_sandbox(settings: Settings) -> Sandbox:
    """What reads the recordings of requests, ready for the first one."""
    from models.audio.sandbox.limits import Limits
    from models.audio.sandbox.reader import Sandbox

    sandbox = Sandbox(Limits(max_seconds=settings.max_audio_seconds))
    sandbox.prepare()
    return sandbox


def start_transcriber(
    checkpoint: store.StoredCheckpoint, settings: Settings, sandbox: Sandbox, url: str
) -> Transcriber:
    """Load a checkpoint onto its device, verified, start its engine and warm it up."""
    # Here, not above: the parent process and `bentoml build` import this file without torch.
    from models.engine.config import EngineConfig
    from models.engine.start import start_engine
    from models.transcriber import Transcriber

    config = EngineConfig(
        device=settings.device,
        dtype=settings.dtype,
        padding=settings.padding,
        slots=settings.slots,
        threads=settings.threads,
    )
    began = time.monotonic()
    weights = store.load(checkpoint)
    engine = start_engine(weights, config)
    transcriber = Transcriber(engine, settings.strategy, sandbox.read)
    transcriber.warm_up()
    metrics.loaded(checkpoint.name, time.monotonic() - began)
    logger.info("%s on %s in %s, at %s", checkpoint.tag, engine.device, engine.dtype, url)
    return transcriber


def serve(checkpoint: store.StoredCheckpoint, transcriber: Transcriber) -> ServedModel:
    """What the API needs to know of a running model."""
    return ServedModel(
        name=checkpoint.name,
        created=int(checkpoint.created.timestamp()),
        device=transcriber.engine.device,
        dtype=transcriber.engine.dtype,
        transcriber=transcriber,
    )


def check_start(settings: Settings, checkpoints: Sequence[store.StoredCheckpoint]) -> None:
    """Find what would keep the workers from starting; they would be started again and again."""
    if unserved := {name for _, name in settings.aliases} - set(settings.models):
        names = ", ".join(sorted(unserved))
        raise BentoMLException(f"WHISPER_ALIASES names {names}: not in WHISPER_MODELS")
    # `bentoml serve --host --port` go to BentoML alone, as its own configuration does.
    context = click.get_current_context(silent=True)
    given = context.params if context else {}
    host = given.get("host") or str(BentoMLContainer.http.host.get())
    port = given.get("port") or settings.port
    if problem := port_problem(host, port) or access_problem(settings, host):
        raise BentoMLException(problem)
    try:
        if (settings.device, settings.dtype) != ("auto", "auto"):
            from models.engine.device import resolve_device
            from models.engine.precision import resolve_precision

            resolve_precision(settings.dtype, resolve_device(settings.device))
        for checkpoint in checkpoints:
            store.verify(checkpoint)
    except WhisperError as error:
        raise BentoMLException(error.message) from error


def start_supervision(settings: Settings) -> None:
    """Prepare how workers are kept; what stands in the way ends the start."""
    try:
        supervise(settings.shutdown_seconds, hand_down_scratch)
    except OSError as error:
        raise BentoMLException(f"no place for temporary files: {error}") from error


def without_timer(app: ASGIApp, timeout: float) -> ASGIApp:
    """In place of BentoML's own time limit, whose timers keep every request in memory.

    They are not cancelled when it is answered. `api/deadline.py` has the same limit, and answers in
    OpenAI's shape.
    """
    return app


def observers(settings: Settings) -> list[Observer]:
    """Who is told of every request that is over."""
    told: list[Observer] = [metrics.request, log_request]
    if settings.otlp_endpoint:
        # Here, not above: who does not trace needs no exporter.
        from api.tracing import Tracing

        told.append(Tracing(settings.otlp_endpoint, VERSION).request)
    return told


def as_service(decorated: type[Whisper]) -> Service[Whisper]:
    """What `@bentoml.service` has made of the class, for type checkers that do not see it."""
    return cast("Service[Whisper]", decorated)


prepare_openmp()
traffic.TimeoutMiddleware = without_timer  # type: ignore[assignment, misc]  # used as a callable
# BentoML has no setting for what its workers' uvicorn speaks.
HTTP_PROTOCOLS["auto"] = "api.timed_headers:TimedHeaders"
settings = read_settings()
if settings.log_format == "json":
    log_as_json()
metrics = Metrics(metrics_folder())
checkpoints = find_checkpoints(settings)
app = create_app(VERSION)
drain = Drain(settings.shutdown_seconds)
app.add_route("/metrics", metrics.answer)


@bentoml.service(  # type: ignore[operator]  # a function, that mypy takes for a module
    name="whisper",
    resources={"gpu": 1},
    traffic={"timeout": settings.timeout},
    http={"host": settings.host, "port": settings.port},
    # `api/logs.py` has a line for each request; BentoML's would fail, and the answer with it, at a
    # content type that is not UTF-8.
    logging={"access": {"enabled": False}},
    # Its metrics have a series for every path that anybody asks for; `api/metrics.py` has ours.
    metrics={"enabled": False, "namespace": "bentoml_service"},
)
@bentoml.asgi_app(app, path="/")
class Whisper:
    """Speech to text: OpenAI's audio API under `/v1`, and the same as BentoML endpoints."""

    # An explicit version, so that a bento packs this one and serves no other.
    default_checkpoint = bentoml.models.BentoModel(checkpoints[0].tag)

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Once, before any worker: what is wrong ends the start with one line."""
        check_start(settings, checkpoints)
        start_supervision(settings)

    def __init__(self) -> None:
        join_parent()
        # `bentoml serve --port` goes to BentoML alone, which tells its workers the address.
        url = as_service(Whisper).url or f"http://{settings.host}:{settings.port}"
        self.sandbox = start_sandbox(settings)
        self.transcribers = [
            start_transcriber(each, settings, self.sandbox, url) for each in checkpoints
        ]
        models = map(serve, checkpoints, self.transcribers)
        admission = Admission(settings.queue_seconds, settings.slots or MOST_SLOTS)
        self.served = ServedModels(list(models), admission, dict(settings.aliases))
        app.state.served = self.served

    @bentoml.on_startup
    async def await_signals(self) -> None:
        """In the event loop, once uvicorn has taken the signals."""
        drain_before_exit(drain)

    @bentoml.on_startup
    async def observe(self) -> None:
        """Keep the metrics of the engines up to date while the server runs."""
        from models.engine.device import device_bytes

        self.watching = asyncio.create_task(watch(metrics, self.served, device_bytes))

    @bentoml.api
    async def transcribe(
        self,
        file: Path,
        model: ModelId = "whisper-1",
        language: Language = None,
        prompt: Prompt = None,
        temperature: Temperature = 0.0,
        *,
        ctx: bentoml.Context,
    ) -> TranscriptionVerbose:
        """The text of a recording, in the language spoken."""
        return await answer_natively(
            self.served,
            ctx,
            file,
            TranscriptionRequest,
            model=model,
            language=language,
            prompt=prompt,
            temperature=temperature,
        )

    @bentoml.api
    async def translate(
        self,
        file: Path,
        model: ModelId = "whisper-1",
        prompt: Prompt = None,
        temperature: Temperature = 0.0,
        *,
        ctx: bentoml.Context,
    ) -> TranscriptionVerbose:
        """The text of a recording, in English."""
        return await answer_natively(
            self.served,
            ctx,
            file,
            TranslationRequest,
            model=model,
            prompt=prompt,
            temperature=temperature,
        )

    @bentoml.on_shutdown
    def close(self) -> None:
        """Stop the engines; the requests in flight have been answered by now."""
        self.watching.cancel()
        for transcriber in self.transcribers:
            transcriber.close()
        self.sandbox.close()


# What is loaded at start besides the default model is packed as well.
as_service(Whisper).models += [bentoml.models.BentoModel(each.tag) for each in checkpoints[1:]]
# Its protocol wants options of any name.
as_service(Whisper).add_asgi_middleware(
    Edge,  # type: ignore[arg-type]
    settings=settings,
    drain=drain,
    observers=observers(settings),
)
