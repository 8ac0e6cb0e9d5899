"""The BentoML service: settings, store, engine and API put together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
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
from models.admission import Admission
from models.engine.config import MOST_SLOTS
from models.errors import WhisperError

if TYPE_CHECKING:
    from _bentoml_sdk import Service
    from starlette.types import ASGIApp

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


def start_transcriber(
    checkpoint: store.StoredCheckpoint, settings: Settings, url: str
) -> Transcriber:
    """Load a checkpoint onto its device, verified, and start its engine."""
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
    weights = store.load(checkpoint)
    engine = start_engine(weights, config)
    logger.info("%s on %s in %s, at %s", checkpoint.tag, engine.device, engine.dtype, url)
    return Transcriber(engine, settings.strategy)


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
        for checkpoint in checkpoints:
            store.verify(checkpoint)
    except WhisperError as error:
        raise BentoMLException(error.message) from error


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
checkpoints = find_checkpoints(settings)
app = create_app(VERSION)


@bentoml.service(  # type: ignore[operator]  # a function, that mypy takes for a module
    name="whisper",
    resources={"gpu": 1},
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
        check_start(settings, checkpoints)

    def __init__(self) -> None:
        # `bentoml serve --port` goes to BentoML alone, which tells its workers the address.
        url = as_service(Whisper).url or f"http://{settings.host}:{settings.port}"
        self.transcribers = [start_transcriber(each, settings, url) for each in checkpoints]
        models = map(serve, checkpoints, self.transcribers)
        admission = Admission(settings.queue_seconds, settings.slots or MOST_SLOTS)
        self.served = ServedModels(list(models), admission, dict(settings.aliases))
        app.state.served = self.served

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
        for transcriber in self.transcribers:
            transcriber.close()


# What is loaded at start besides the default model is packed as well.
as_service(Whisper).models += [bentoml.models.BentoModel(each.tag) for each in checkpoints[1:]]
# Its protocol wants options of any name.
as_service(Whisper).add_asgi_middleware(Edge, settings=settings)  # type: ignore[arg-type]
