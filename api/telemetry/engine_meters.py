"""Prometheus meters of engines, and of the memory of their process."""

from __future__ import annotations

from collections.abc import Mapping

import psutil

from api.telemetry.meters import MODEL, Meters
from models.engine.counters import EngineCounters, EngineState

# Of `EngineCounters`, each with a meter of the same name.
_COUNTED = ("windows", "tokens", "fallbacks", "cancelled", "out_of_memory")
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class EngineMeters:
    """Engines by model, and the memory that their process holds."""

    def __init__(self, make: Meters) -> None:
        self._seen: dict[str, EngineCounters] = {}
        self.batch_size = make.histogram(
            "whisper_decode_batch_size", "Rows of a decode step.", MODEL, buckets=_ROWS
        )
        self.slots = make.gauge(
            "whisper_slots", "Windows that can be with the model at once.", MODEL
        )
        self.slots_in_use = make.gauge(
            "whisper_slots_in_use", "Windows that are with the model.", MODEL
        )
        self.waiting = make.gauge("whisper_windows_waiting", "Windows that wait for a slot.", MODEL)
        self.windows = make.counter("whisper_windows_total", "Windows encoded.", MODEL)
        self.tokens = make.counter("whisper_tokens_total", "Tokens decoded.", MODEL)
        self.fallbacks = make.counter(
            "whisper_fallbacks_total", "Windows decoded again at a higher temperature.", MODEL
        )
        self.cancelled = make.counter(
            "whisper_cancelled_windows_total", "Windows dropped, as nobody waited for them.", MODEL
        )
        self.out_of_memory = make.counter(
            "whisper_out_of_memory_total",
            "Steps for which a device had no memory; smaller ones followed.",
            MODEL,
        )
        self.load = make.summary(
            "whisper_model_load_seconds",
            "Time from the store to a warm model; the count is that of loads.",
            MODEL,
        )
        self.resident = make.gauge(
            "whisper_resident_memory_bytes", "Memory of the workers on the host."
        )
        self.device = make.gauge(
            "whisper_device_memory_bytes", "Memory that PyTorch holds on GPUs."
        )

    def loaded(self, model: str, seconds: float) -> None:
        """Count the loading of a model."""
        self.load.labels(model).observe(seconds)

    def note(self, states: Mapping[str, EngineState], device_bytes: int) -> None:
        """Add the counts of the engines, by model, since the last time."""
        for model, state in states.items():
            self.slots.labels(model).set(state.slots)
            self.slots_in_use.labels(model).set(state.running)
            self.waiting.labels(model).set(state.waiting)
            self._count(model, self._seen.get(model, EngineCounters()), state.counters)
            self._seen[model] = state.counters
        for model in self._seen.keys() - states.keys():  # unloaded
            del self._seen[model]
            for held in (self.slots, self.slots_in_use, self.waiting):
                held.labels(model).set(0)
        self.resident.set(psutil.Process().memory_info().rss)
        self.device.set(device_bytes)

    def _count(self, model: str, before: EngineCounters, now: EngineCounters) -> None:
        if any(getattr(now, name) < getattr(before, name) for name in ("steps", *_COUNTED)):
            before = EngineCounters()  # the model has been loaded anew
        for name in _COUNTED:
            more = getattr(now, name) - getattr(before, name)
            getattr(self, name).labels(model).inc(more)
        rows = self.batch_size.labels(model)
        for size in (now.batch_sizes - before.batch_sizes).elements():
            rows.observe(size)
