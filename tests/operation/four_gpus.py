"""The service where four GPUs are seen: its workers say which they were given, and use the CPU.

What they load is tiny, whatever it is called.
"""

from __future__ import annotations

from unittest.mock import patch

import torch

from models.checkpoints import store
from models.engine import engine, memory_estimate, start
from models.engine.device import device, gpus
from tests.tiny import tiny_weights

given: list[str] = []


def take(wanted: str) -> torch.device:
    """The CPU, whatever is wanted."""
    given.append(wanted)
    return torch.device("cpu")


for module, name, pretended in (
    (gpus, "count_gpus", lambda: 4),
    (memory_estimate, "estimate_engine_bytes", lambda *_: dict.fromkeys(("tiny.en",), 0)),
    (torch.cuda, "device_count", lambda: 4),
    (store, "load", lambda _: tiny_weights()),
    (device, "resolve_device", take),
    (start, "resolve_device", take),
    (engine, "describe_device", lambda *_: given[-1]),
):
    patch.object(module, name, pretended).start()

from service import Whisper  # noqa: E402

__all__ = ["Whisper"]
