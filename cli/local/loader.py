"""Loader of models in this process, on the device and the threads that a server would take.

It imports PyTorch.
"""

from __future__ import annotations

from api.settings import Settings
from models.audio.sandbox.reader import Sandbox
from models.audio.sandbox.rlimits import Limits
from models.checkpoints import store
from models.engine.cpu.shared_thread import SharedThread
from models.engine.cpu.threads import cores, in_passing, take_cores
from models.engine.device.device import resolve_device
from models.engine.device.engine_config import EngineConfig
from models.engine.start import start_engine
from models.transcription.audio_input import AudioInput
from models.transcription.transcriber import Transcriber


class Loader:
    """Loads stored checkpoints, and reads recordings for them in a sandbox.

    As in a server, the engines have all cores but those that others keep busy, and each file is
    read in a process that can reach nothing else.

    Raises:
        DeviceError: the device of the settings is not there.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cpu = SharedThread()
        threads = settings.threads or cores()
        take_cores(1)  # the rest is the engines'
        self._config = EngineConfig(
            device=settings.device,
            dtype=settings.dtype,
            padding=settings.padding,
            slots=settings.slots,
            threads=threads,
        )
        spare = 0 if resolve_device(settings.device).type == "cpu" else threads
        sandbox = Sandbox(Limits(max_seconds=settings.max_audio_seconds))
        self._audio = AudioInput.beside(spare, sandbox)
        self._loaded: list[Transcriber] = []
        self.has_lost_device = False

    def load(self, checkpoint: store.StoredCheckpoint) -> Transcriber:
        """Load a checkpoint, verified, and start its engine.

        Raises:
            WhisperError: it is damaged, or the device is not there.
        """
        # Others that are loaded already go on meanwhile.
        loading = 1 if self._loaded else self._config.threads
        with self._cpu.reserving(loading):
            engine = in_passing(
                loading,
                lambda: start_engine(store.load(checkpoint), self._config, self._cpu, self._lose),
            )
        transcriber = Transcriber(engine, self._settings.strategy, self._audio)
        self._loaded.append(transcriber)
        return transcriber

    def _lose(self) -> None:
        """Note that the device does nothing more for this process; in the engine's thread."""
        self.has_lost_device = True

    def close(self) -> None:
        """Stop the engines after their running step, and end what reads recordings."""
        for transcriber in self._loaded:
            transcriber.close()
        self._audio.close()
