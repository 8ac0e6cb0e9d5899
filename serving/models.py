"""Model pool of a worker: models loaded at start, and models loaded on demand.

It imports PyTorch, which the parent and `bentoml build` do without.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import bentoml

from api.server_log import logger
from api.settings import Settings
from api.telemetry.metrics import Metrics
from models.audio.sandbox.reader import Sandbox
from models.capacity.model_pool import ModelPool, PoolLimits
from models.checkpoints import store
from models.engine.cpu.shared_thread import SharedThread
from models.engine.cpu.threads import cores, in_passing, take_cores
from models.engine.device.device import resolve_device, worker_device
from models.engine.network.memory import give_back
from models.engine.start import engine_bytes, start_engine
from models.transcription.audio_input import AudioInput
from models.transcription.transcriber import Transcriber
from models.units import MIB
from serving.startup import engine_config
from serving.worker import end_worker


class Models:
    """Loads stored models on this worker's device, and reads recordings for them.

    `url` is what the server is reached at, for the log.
    """

    def __init__(self, settings: Settings, metrics: Metrics, sandbox: Sandbox, url: str) -> None:
        self._settings, self._metrics, self._url = settings, metrics, url
        self._cpu = SharedThread()
        device = worker_device(settings.device, bentoml.server_context.worker_index)
        threads = settings.threads or cores()
        take_cores(1)  # the rest is the engines'
        self._config = replace(engine_config(settings), device=device, threads=threads)
        spare = 0 if resolve_device(device).type == "cpu" else threads
        self._audio = AudioInput.beside(spare, sandbox)

    def start(self, checkpoint: store.StoredCheckpoint, loading_cores: int) -> Transcriber:
        """Load a checkpoint, verified, start its engine and warm it up."""
        began = time.monotonic()
        with self._cpu.reserving(loading_cores):
            engine = in_passing(
                loading_cores,
                lambda: start_engine(store.load(checkpoint), self._config, self._cpu, end_worker),
            )
        transcriber = Transcriber(engine, self._settings.strategy, self._audio)
        transcriber.warm_up()
        self._metrics.engines.loaded(checkpoint.name, time.monotonic() - began)
        where = f"{engine.device} in {engine.dtype}"
        logger.info("%s on %s, at %s", checkpoint.tag, where, self._url)
        return transcriber

    def close(self) -> None:
        """End what reads recordings; the pool has closed the models."""
        self._audio.close()

    def pool(
        self,
        checkpoints: Sequence[store.StoredCheckpoint],
        on_demand: Sequence[store.StoredCheckpoint],
    ) -> ModelPool[Transcriber]:
        """All of them: the first ones are loaded now."""
        later = {checkpoint.name: checkpoint for checkpoint in on_demand}
        settings = self._settings
        return ModelPool(
            {each.name: self.start(each, self._config.threads) for each in checkpoints},
            {each.name: engine_bytes(each.dims, self._config) for each in on_demand},
            # The others' requests go on meanwhile.
            load=lambda name: self.start(later[name], loading_cores=1),
            limits=PoolLimits(settings.memory_mib * MIB, settings.idle_seconds),
            give_back=give_back,
        )
