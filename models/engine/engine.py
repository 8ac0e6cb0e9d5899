"""Continuous batching engine: windows of all requests in one queue, decoded in one batch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

import torch
from whisper.audio import N_SAMPLES

from models.engine.backend import Backend
from models.engine.counters import EngineCounters, EngineState
from models.engine.cpu.contention import SpareCores
from models.engine.cpu.shared_thread import SharedThread
from models.engine.cpu.threads import take_cores
from models.engine.decoding.sequence import DecodingResult, Sequence, Window, settle_all
from models.engine.device.device import describe_device, still_computes
from models.engine.scheduler import Scheduler
from models.engine.stepper import Stepper
from models.errors import DecodingError, EngineStoppedError

logger = logging.getLogger(__name__)


class Engine:
    """Decodes windows on one device, in a thread of its own or, step by step, in that of `cpu`.

    It computes with so many CPU `threads` (0: all), fewer while other processes use the cores.
    `submit` may be called from any thread. Cancelling the future drops the window before the next
    step. `on_loss` is called when the device does nothing more for this process.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        slots: int,
        encode_batch: int,
        threads: int = 0,
        cpu: SharedThread | None = None,
        on_loss: Callable[[], object] = lambda: None,
    ) -> None:
        self.backend = backend
        self.vocabulary = backend.vocabulary
        self.scheduler = Scheduler(slots, encode_batch, overlaps=backend.overlaps)
        self.counters = EngineCounters()
        self._stepper = Stepper(backend, self.scheduler, self.counters)
        self._cpu, self._on_loss = cpu, on_loss
        self._arrived: list[Sequence] = []
        self._wakeup = threading.Condition()
        self._stopping = False
        self._threads = threads or torch.get_num_threads()
        self._spare = SpareCores(self._threads)
        self._thread = threading.Thread(target=self._run, name="whisper-engine", daemon=True)
        self._thread.start()

    @property
    def device(self) -> str:
        """The device as a person would name it."""
        return describe_device(self.backend.device, self._threads)

    @property
    def dtype(self) -> str:
        """The precision: float32, float16, bfloat16 or int8."""
        return self.backend.precision.name

    @property
    def takes_samples(self) -> bool:
        """True if windows may be samples: see `Window`."""
        return self.backend.takes_samples

    @property
    def spare_threads(self) -> int:
        """Number of its CPU threads that it does not compute with itself."""
        return 0 if self.backend.device.type == "cpu" else self._threads

    def state(self) -> EngineState:
        """The engine's load and counters at this moment; any thread may ask."""
        counters = replace(self.counters, batch_sizes=self.counters.batch_sizes.copy())
        waiting = len(self._arrived) + self.scheduler.waiting
        return EngineState(
            device=self.device,
            dtype=self.dtype,
            waiting=waiting,
            running=self.scheduler.busy,
            slots=self.scheduler.slots,
            counters=counters,
        )

    def submit(self, window: Window) -> Future[DecodingResult]:
        """Queue a window; its result comes through the future.

        Raises:
            EngineStoppedError: the engine has been closed.
            ValueError: it is given samples, and takes none or not so many; or a prefix that leaves
                no room for text, or has no language.
        """
        self._check(window)
        future: Future[DecodingResult] = Future()
        language = window.language
        if language is None and not self.vocabulary.dims.is_multilingual:
            language = "en"
        with self._wakeup:
            if self._stopping:
                raise EngineStoppedError("The server is shutting down.")
            sequence = Sequence(window, future, language)
            sequence.enter("queue")
            self._arrived.append(sequence)
            self._wakeup.notify()
        return future

    def close(self) -> None:
        """Stop after the running step; windows not yet decoded fail with EngineStoppedError."""
        with self._wakeup:
            self._stopping = True
            self._wakeup.notify()
        self._thread.join()

    def _check(self, window: Window) -> None:
        # What fails only in a step fails all windows in the engine.
        audio, prefix = window.audio, window.prefix  # [n_mels, 3000] or [samples]
        if prefix.tokens and window.language is None:
            raise ValueError("a window with a prefix must be given its language")
        longest = self.vocabulary.dims.n_text_ctx // 2 - 1
        if len(prefix.tokens) > longest or len(prefix.tokens) != len(prefix.logprobs):
            raise ValueError(f"a prefix has at most {longest} tokens, each with a logprob")
        if audio.dim() == 1 and not (self.takes_samples and len(audio) <= N_SAMPLES):
            raise ValueError(f"this engine takes no window of {len(audio)} samples")

    def _run(self) -> None:
        with self.backend.computing():
            while self._wait_for_work():
                try:
                    self._cpu.run(self._steps) if self._cpu else self._steps()
                except Exception:  # one step's fault must not end the server
                    logger.exception("a decoding step failed; its windows are given up")
                    self._give_up()
        stopped = EngineStoppedError("The server is shutting down.")
        settle_all(self.scheduler.drain(waiting=True), stopped)

    def _give_up(self) -> None:
        """Fail what ran, or what waits where nothing did: it would fail again and again."""
        failure = DecodingError("The model failed while decoding this recording.")
        settle_all(self.scheduler.drain(waiting=not self.scheduler.running), failure)
        if not still_computes(self.backend.device):
            logger.error("%s does nothing more for this process", self.backend.device)
            self._on_loss()

    def _steps(self) -> None:
        """Step after step: until there is nothing to do, or another engine wants the thread."""
        self._step()
        while self._enqueue_arrived() and not (self._cpu and self._cpu.is_wanted):
            self._step()

    def _step(self) -> None:
        reserved = self._cpu.reserved if self._cpu else 0
        take_cores(max(1, self._spare.now() - reserved))
        self._stepper.step()

    def _wait_for_work(self) -> bool:
        """Sleep while there is nothing to do; False when stopping."""
        with self._wakeup:
            while self.scheduler.is_idle and not self._arrived and not self._stopping:
                self._wakeup.wait()
        return self._enqueue_arrived()

    def _enqueue_arrived(self) -> bool:
        """Queue the windows that have arrived; True if there is something to do."""
        with self._wakeup:
            for sequence in self._arrived:
                self.scheduler.add(sequence)
            self._arrived.clear()
            return not (self._stopping or self.scheduler.is_idle)
