"""The BentoML service: settings, store, engine and API put together."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import bentoml
from starlette.routing import Route

from api.app import create_app
from api.client_secrets import ClientSecrets
from api.dialects.enabled import enabled
from api.forms.parameters import TranscriptionRequest, TranslationRequest
from api.jobs.job_config import JobConfig
from api.jobs.jobs import Jobs
from api.jobs.runner import JobRunner
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack, Sockets
from api.native.endpoints import Language, ModelId, Prompt, Temperature, answer_natively
from api.realtime.endpoint import Limits, Realtime
from api.realtime.routes import SecretRoutes
from api.requests.model_registry import ModelRegistry, ServedModel
from api.requests.request_limits import RequestLimits
from api.schemas import TranscriptionVerbose
from api.settings import (
    bentoml_home,
    handed_down_signing_key,
    metrics_folder,
    prepare_environment,
)
from api.telemetry.logs import log_as_json
from api.telemetry.metrics import Metrics, watch
from api.version import project_version
from models.capacity.admission import Admission, long_at_once
from serving.image import describe_image, image_variables
from serving.memory_trim import give_memory_back
from serving.patches.bentoml_server import replace_defaults
from serving.patches.versions import check_versions
from serving.scratch import note_start
from serving.startup import (
    count_workers,
    find_checkpoints,
    names_on_demand,
    read_arguments,
    read_settings,
    request_observers,
)
from serving.startup_checks import check_start
from serving.supervisor import start_supervision
from serving.worker import drain_before_exit, join_parent

if TYPE_CHECKING:
    from _bentoml_sdk import Service

    from api.jobs.job_config import OpenJobs
    from api.jobs.webhook_runner import WebhookRunner
    from serving.wyoming import Wyoming


def as_service(decorated: type[Whisper]) -> Service[Whisper]:
    """The `Service` that `@bentoml.service` has made of the class, for type checkers."""
    return cast("Service[Whisper]", decorated)


check_versions()
prepare_environment()
replace_defaults()
arguments = read_arguments()
settings = read_settings(arguments)
if settings.log_format == "json":
    log_as_json()
metrics = Metrics(metrics_folder())
# Those loaded at start, the default one first, and those loaded when they are asked for.
checkpoints = find_checkpoints(settings.models)
on_demand = find_checkpoints(names_on_demand(settings))
workers = count_workers(settings)
version = project_version()
dialects = enabled(settings)
secrets = ClientSecrets(handed_down_signing_key())
secret_routes = SecretRoutes(secrets, settings.realtime_delay).routes()
app = create_app(version, [Route("/metrics", metrics.answer), *secret_routes], dialects)
drain = Drain(settings.shutdown_seconds)
limits = Limits(settings.realtime_sessions, settings.realtime_seconds, settings.realtime_delay)
jobs = Jobs(JobConfig.of(settings, bentoml_home())) if settings.jobs else None
app.state.jobs = jobs
realtime = Realtime(app.state, limits, drain, metrics.realtime)
observers = request_observers(settings, metrics, version)


def start_webhooks(opened: OpenJobs) -> WebhookRunner | None:
    """The runner of webhooks; None where they are off."""
    if not (jobs and jobs.config.webhooks):
        return None
    # Imported here, as Wyoming's is.
    from api.jobs.webhook_runner import WebhookRunner
    from api.webhooks.sender import WebhookSender

    sender = WebhookSender(jobs.config.webhooks, version)
    return WebhookRunner(opened, sender, drain, metrics.jobs.note_webhook)


def start_wyoming() -> Wyoming:
    """The server for Wyoming's clients, which answers before the models are loaded."""
    # Imported here: who does not want it does not pay for it.
    from serving.wyoming import Wyoming

    return Wyoming(settings, [*checkpoints, *on_demand], version, metrics)


@bentoml.service(  # type: ignore[operator]  # a function, that mypy takes for a module
    name="whisper",
    image=describe_image(),
    envs=image_variables(arguments),
    labels={"model": checkpoints[0].tag, "device": arguments.device},
    workers=workers,
    resources={"gpu": 1} if arguments.device == "cuda" else {},
    traffic={"timeout": settings.timeout},
    http={"host": settings.host, "port": settings.port},
    # `api/telemetry/logs.py` has a line for each request; BentoML's would fail, and the answer with
    # it, at a content type that is not UTF-8.
    logging={"access": {"enabled": False}},
    # Its metrics have a series for every path that is asked for; ours are in `api/telemetry`.
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
        """Checks before any worker: a problem ends the start with one line."""
        check_start(settings, checkpoints, on_demand)
        start_supervision(settings)

    def __init__(self) -> None:
        join_parent()
        self.wyoming = start_wyoming() if settings.wyoming_port else None
        # Here, not above: the parent and `bentoml build` import this file without PyTorch.
        from models.audio.sandbox.reader import Sandbox
        from models.audio.sandbox.rlimits import Limits
        from serving.models import Models

        # `bentoml serve --port` goes to BentoML alone, which tells its workers the address.
        url = as_service(Whisper).url or f"http://{settings.host}:{settings.port}"
        sandbox = Sandbox(Limits(max_seconds=settings.max_audio_seconds))
        sandbox.prepare()
        self.models = Models(settings, metrics, sandbox, url)
        self.pool = self.models.pool(checkpoints, on_demand)
        models = [
            ServedModel(each.name, int(each.created.timestamp()))
            for each in (*checkpoints, *on_demand)
        ]
        self.slots = max(model.state().slots for model in self.pool.resident.values())
        admission = Admission(settings.queue_seconds, self.slots, settings.short_wait_seconds)
        aliases, told = dict(settings.aliases), RequestLimits.of(settings)
        self.registry = ModelRegistry(models, self.pool, admission, aliases, told)
        app.state.registry = self.registry

    @bentoml.on_startup
    async def begin(self) -> None:
        """In the event loop, once uvicorn has taken the signals."""
        from models.audio.vad.levelled_stream import shared_detector
        from models.engine.device.device import device_bytes
        from models.engine.network.memory import trim
        from models.live.live_session import LiveSession

        drain_before_exit(drain)
        shared_detector()
        realtime.begin(partial(LiveSession, self.pool))
        if jobs:
            places = long_at_once(self.slots)
            jobs.begin(
                lambda opened: JobRunner(opened, self.registry, drain, places, metrics.jobs.note),
                start_webhooks,
            )
        if self.wyoming:
            self.wyoming.begin(self.registry, drain, observers)
        self.tasks = [
            asyncio.create_task(watch(metrics, self.registry, device_bytes)),
            asyncio.create_task(give_memory_back(self.pool, trim)),
        ]
        note_start()

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
            self.registry,
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
            self.registry,
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
        for task in self.tasks:
            task.cancel()
        if jobs:
            jobs.close()
        if self.wyoming:
            self.wyoming.close()
        self.pool.close()
        self.models.close()


# The other models are packed as well.
as_service(Whisper).models += [
    bentoml.models.BentoModel(each.tag) for each in (*checkpoints[1:], *on_demand)
]
# Its protocol wants options of any name.
as_service(Whisper).add_asgi_middleware(
    MiddlewareStack,  # type: ignore[arg-type]
    settings=settings,
    drain=drain,
    observers=observers,
    dialects=dialects,
    sockets=Sockets(realtime, secrets),
)
