"""Model registry: the served checkpoints by the model ids that reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from starlette.datastructures import State
from starlette.requests import Request

from api.errors import ApiError, retry_after
from api.requests.request_limits import RequestLimits
from models.audio_options import MIX, ReadOptions
from models.capacity.admission import Admission
from models.checkpoints.catalogue import checkpoint_name, find_checkpoint
from models.checkpoints.public_names import is_hosted_model, public_checkpoint
from models.engine.counters import EngineState
from models.errors import ModelNotFoundError
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import OnSegment, Transcript

DEFAULT_ID = "whisper-1"
LOADING_SECONDS = 5


class Transcriber(Protocol):
    """Turns one recording into a transcript; cancelling the call stops the work."""

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """The transcript of `audio`, a seekable file in any container; `stats` is filled.

        Raises:
            AudioError, OptionError, OverloadedError, EngineStoppedError
        """
        ...

    async def detect_language(
        self,
        audio: BinaryIO,
        among: Sequence[str] = (),
        stats: RequestStats | None = None,
        reading: ReadOptions = MIX,
    ) -> dict[str, float]:
        """The probability of each language, or of each of `among`; the most probable one first.

        Raises:
            AudioError, OptionError, OverloadedError, EngineStoppedError
        """
        ...

    def state(self) -> EngineState:
        """The load of its engine, and its counters."""
        ...


class Pool(Protocol):
    """The checkpoints' transcribers, of which some are loaded."""

    @property
    def loaded(self) -> Mapping[str, Transcriber]:
        """The loaded ones, by name."""
        ...

    def use(self, name: str) -> AbstractAsyncContextManager[Transcriber]:
        """A checkpoint's transcriber, which stays loaded within the block.

        Raises:
            OverloadedError, ModelLoadError
        """
        ...


@dataclass(frozen=True)
class ServedModel:
    """A checkpoint, loaded or not; `created` is when it was imported, in Unix seconds."""

    name: str
    created: int


class ModelRegistry:
    """The checkpoints and the model ids that reach them; the first is the default.

    `pool` has their transcribers. They share a device, and so the queue for it: `admission`.
    `aliases` are more ids, each with the name of a checkpoint. `limits` are told to clients, and
    kept to elsewhere.

    Raises:
        ValueError: the list is empty.
    """

    def __init__(
        self,
        models: Sequence[ServedModel],
        pool: Pool,
        admission: Admission,
        aliases: Mapping[str, str] | None = None,
        limits: RequestLimits | None = None,
    ) -> None:
        if not models:
            raise ValueError("There must be at least one model to serve.")
        self.models = tuple(models)
        self.pool = pool
        self.admission = admission
        self.aliases = dict(aliases or {})
        self.limits = limits or RequestLimits()

    @property
    def default(self) -> ServedModel:
        """The checkpoint that `whisper-1` means."""
        return self.models[0]

    def find(self, model_id: str) -> ServedModel:
        """The checkpoint a client means; the default one for what only others have.

        That are OpenAI's models, and public names of checkpoints that are not served: clients are
        left at these, and many cannot be told another.

        Raises:
            ModelNotFoundError: the id means nothing here.
        """
        served = {model.name: model for model in self.models}
        name = checkpoint_name(self.aliases.get(model_id, model_id))
        if name in served:
            return served[name]
        if is_hosted_model(model_id):
            return self.default
        if public := public_checkpoint(model_id):
            return served.get(public, self.default)
        raise ModelNotFoundError(model_id)

    def ids(self) -> list[str]:
        """`whisper-1`, each checkpoint's name, its name with `whisper-`, and all aliases.

        Not what else `find` understands: a list is to choose from, and those are one and the same.
        """
        ids = [DEFAULT_ID]
        for model in self.models:
            checkpoint = find_checkpoint(model.name)
            aliases = checkpoint.aliases if checkpoint else ()
            ids += [model.name, f"whisper-{model.name}", *aliases]
        return list(dict.fromkeys([*ids, *self.aliases]))


def registry_of(request: Request) -> ModelRegistry:
    """The app's registry; raises as `registry_in`."""
    return registry_in(request.app.state)


def registry_in(state: State) -> ModelRegistry:
    """The registry in an app's state.

    Raises:
        ApiError: the models are still being loaded (503).
    """
    registry = getattr(state, "registry", None)
    if isinstance(registry, ModelRegistry):
        return registry
    raise still_loading()


def still_loading() -> ApiError:
    """The refusal of what needs models that are not loaded yet."""
    message = "The model is loading. Try again in a few seconds."
    headers = retry_after(LOADING_SECONDS)
    return ApiError(message, status=503, code="overloaded", headers=headers)
