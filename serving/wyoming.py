"""Wyoming in a worker: the server for Home Assistant, put together; imported where it is wanted."""

from __future__ import annotations

from collections.abc import Sequence

from api.middleware.draining import Drain
from api.requests.model_registry import ModelRegistry
from api.settings import Settings
from api.telemetry.metrics import Metrics
from api.telemetry.observe import Observer
from api.wyoming.info import OfferedModel, info
from api.wyoming.recording import MAX_SECONDS
from api.wyoming.server import WyomingServer
from api.wyoming.utterances import Utterances
from models.checkpoints.store import StoredCheckpoint
from serving.listener import take_listener
from serving.scratch import only_one_worker


class Wyoming:
    """Says from the beginning what is served, and transcribes from `begin` on."""

    def __init__(
        self,
        settings: Settings,
        checkpoints: Sequence[StoredCheckpoint],
        version: str,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        offered = [OfferedModel(each.name, each.dims.is_multilingual) for each in checkpoints]
        self._server = WyomingServer(
            take_listener(),
            info(offered, version),
            min(MAX_SECONDS, settings.max_audio_seconds or MAX_SECONDS),
            only_one_worker("wyoming"),
            metrics.wyoming.connections.set,
        )
        self._server.start()

    def begin(self, registry: ModelRegistry, drain: Drain, observers: Sequence[Observer]) -> None:
        """Transcribe, in the event loop that runs: the models are loaded."""
        self._server.begin(Utterances(registry, drain, self._settings.timeout, observers))

    def close(self) -> None:
        """End its connections."""
        self._server.close()
