"""The BentoML service: settings, store, engine and API put together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import bentoml
import click
from bentoml._internal.server.http import traffic
from bentoml.exceptions import BentoMLException

from api.app import create_app
from api.edge import Edge
from api.native import Language, ModelId, Prompt, answer_natively
from api.parameters import Temperature, TranscriptionRequest, TranslationRequest
from api.port import port_problem
from api.schemas import TranscriptionVerbose
from api.served import ServedModel, ServedModels
from api.settings import SettingError, Settings, prepare_openmp
from models import store
from models.engine.config import EngineConfig
from models.engine.gpus import count_gpus
from models.errors import WhisperError

if TYPE_CHECKING:
    from _bentoml_sdk import Service
    from starlette.types import ASGIApp

    from models.engine.turns import Turns
    from models.pool import ModelPool
    from models.transcriber import Transcriber

VERSION = "0.1.0"
MIB = 1024 * 1024

# BentoML drops what other loggers say below WARNING.
logger = logging.getLogger("bentoml.whisper")


def read_settings() -> Settings:
    """The settings; malformed ones end the start with a line each."""
    try:
        return Settings.from_environ()
    except SettingError as error:
        raise BentoMLException(error.message) from None


def find_checkpoints(names: Sequence[str]) -> list[store.StoredCheckpoint]:
    """The checkpoints of these names; a missing one ends the start."""
    try:
        found = {name: store.find(name) for name in names}
    except WhisperError as error:
        raise BentoMLException(error.message) from error
    missing = [name for name, checkpoint in found.items() if checkpoint is None]
    if missing:
        raise BentoMLException(
            f"not in the model store: {', '.join(missing)}. "
            f"Import with: python -m scripts.import_model {missing[0]}"
        )
    return [checkpoint for checkpoint in found.values() if checkpoint is not None]


def names_on_demand(settings: Settings) -> list[str]:
    """The models that are loaded when they are asked for: of those named, or of all, the others."""
    names = settings.on_demand
    if names == ("all",):
        names = tuple(checkpoint.name for checkpoint in store.list_checkpoints())
    return [name for name in dict.fromkeys(names) if name not in settings.models]


def count_workers(settings: Settings) -> int:
    """One for each GPU, unless it is said which; workers themselves need not know."""
    if settings.device not in ("auto", "cuda") or bentoml.server_context.worker_index is not None:
        return 1
    try:
        return max(1, count_gpus())
    except WhisperError as error:
        raise BentoMLException(error.message) from error


def engine_config(settings: Settings) -> EngineConfig:
    """How engines run, on the device that is asked for."""
    return EngineConfig(
        device=settings.device,
        dtype=settings.dtype,
        padding=settings.padding,
        slots=settings.slots,
        threads=settings.threads,
    )


def start_transcriber(
    checkpoint: store.StoredCheckpoint, settings: Settings, turns: Turns, url: str
) -> Transcriber:
    """Load a checkpoint onto this worker's device, verified, and start its engine."""
    # Here, not above: the parent process and `bentoml build` import this file without torch.
    from models.engine.device import worker_device
    from models.engine.start import start_engine
    from models.transcriber import Transcriber

    device = worker_device(settings.device, bentoml.server_context.worker_index)
    config = replace(engine_config(settings), device=device)
    engine = start_engine(store.load(checkpoint), config, turns)
    logger.info("%s on %s in %s, at %s", checkpoint.tag, engine.device, engine.dtype, url)
    return Transcriber(engine, settings.strategy)


def start_pool(settings: Settings, url: str) -> ModelPool[Transcriber]:
    """Load the models that are loaded at start; the others follow when they are asked for."""
    from models.engine.memory import give_back
    from models.engine.turns import Turns
    from models.pool import ModelPool, PoolLimits

    turns, later = Turns(), {checkpoint.name: checkpoint for checkpoint in on_demand}
    return ModelPool(
        {each.name: start_transcriber(each, settings, turns, url) for each in checkpoints},
        foreseen_bytes(on_demand, settings),
        load=lambda name: start_transcriber(later[name], settings, turns, url),
        limits=PoolLimits(budget=settings.memory_mib * MIB, idle_seconds=settings.idle_seconds),
        give_back=give_back,
    )


def foreseen_bytes(
    checkpoints: Sequence[store.StoredCheckpoint], settings: Settings
) -> dict[str, int]:
    """What each of these models will hold in memory."""
    from models.engine.start import foresee_bytes

    config = engine_config(settings)
    return {each.name: foresee_bytes(each.dims, config) for each in checkpoints}


def check_start(settings: Settings, checkpoints: Sequence[store.StoredCheckpoint]) -> None:
    """Find what would keep the workers from starting; they would be started again and again."""
    if unserved := {name for _, name in settings.aliases} - {each.name for each in checkpoints}:
        names = ", ".join(sorted(unserved))
        raise BentoMLException(
            f"WHISPER_ALIASES names {names}: not in WHISPER_MODELS or WHISPER_ON_DEMAND"
        )
    # `bentoml serve --host --port` go to BentoML alone.
    context = click.get_current_context(silent=True)
    given = context.params if context else {}
    host, port = given.get("host") or settings.host, given.get("port") or settings.port
    if problem := port_problem(host, port):
        raise BentoMLException(problem)
    try:
        if (settings.device, settings.dtype) != ("auto", "auto"):
            from models.engine.device import resolve_device
            from models.engine.precision import resolve_precision

            resolve_precision(settings.dtype, resolve_device(settings.device))
        if settings.memory_mib:
            check_memory(settings)
        for checkpoint in checkpoints:
            store.verify(checkpoint)
    except WhisperError as error:
        raise BentoMLException(error.message) from error


def check_memory(settings: Settings) -> None:
    """Refuse a budget in which some model can never have room."""
    from models.pool import room_problem

    resident, later = foreseen_bytes(checkpoints, settings), foreseen_bytes(on_demand, settings)
    if problem := room_problem(resident, later, settings.memory_mib * MIB):
        raise BentoMLException(f"WHISPER_MEMORY_MIB={settings.memory_mib} is too small: {problem}")


def without_timer(app: ASGIApp, timeout: float) -> ASGIApp:
    """In place of BentoML's own time limit, whose timers keep every request in memory.

    They are not cancelled when it is answered. `api/deadline.py` has the same limit, and answers in
    OpenAI's shape.
    """
    return app


def as_service(decorated: type[Whisper]) -> Service[Whisper]:
    """What `@bentoml.service` has made of the class, for type checkers that do not see it."""
    return cast("Service[Whisper]", decorated)


prepare_openmp()
traffic.TimeoutMiddleware = without_timer  # type: ignore[assignment, misc]  # used as a callable
settings = read_settings()
# Those loaded at start, the default one first, and those loaded when they are asked for.
checkpoints = find_checkpoints(settings.models)
on_demand = find_checkpoints(names_on_demand(settings))
app = create_app(VERSION)


@bentoml.service(  # type: ignore[operator]  # a function, that mypy takes for a module
    name="whisper",
    # No `resources`: BentoML would show one and the same GPU to all workers.
    workers=count_workers(settings),
    traffic={"timeout": settings.timeout},
    http={"host": settings.host, "port": settings.port},
    # The access log fails, and the answer with it, at a content type that is not UTF-8.
    logging={"access": {"request_content_type": False}},
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
        check_start(settings, [*checkpoints, *on_demand])

    def __init__(self) -> None:
        # `bentoml serve --port` goes to BentoML alone, which tells its workers the address.
        url = as_service(Whisper).url or f"http://{settings.host}:{settings.port}"
        self.pool = start_pool(settings, url)
        engine = self.pool.resident[checkpoints[0].name].engine
        models = [
            ServedModel(each.name, int(each.created.timestamp()), engine.device, engine.dtype)
            for each in (*checkpoints, *on_demand)
        ]
        self.served = ServedModels(models, self.pool, dict(settings.aliases))
        app.state.served = self.served

    @bentoml.api
    async def transcribe(
        self,
        file: Path,
        model: ModelId = "whisper-1",
        language: Language = None,
        prompt: Prompt = None,
        temperature: Temperature = 0.0,
    ) -> TranscriptionVerbose:
        """The text of a recording, in the language spoken."""
        return await answer_natively(
            self.served,
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
    ) -> TranscriptionVerbose:
        """The text of a recording, in English."""
        return await answer_natively(
            self.served,
            file,
            TranslationRequest,
            model=model,
            prompt=prompt,
            temperature=temperature,
        )

    @bentoml.on_shutdown
    def close(self) -> None:
        """Stop the engines; the requests in flight have been answered by now."""
        self.pool.close()


# What is served besides the default model is packed as well.
as_service(Whisper).models += [
    bentoml.models.BentoModel(each.tag) for each in (*checkpoints[1:], *on_demand)
]
# Its protocol wants options of any name.
as_service(Whisper).add_asgi_middleware(Edge, settings=settings)  # type: ignore[arg-type]
