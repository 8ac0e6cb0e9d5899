"""Memory estimate of an engine that is not loaded, by PyTorch in a subprocess."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypedDict

from models.checkpoints.catalogue import Dimensions
from models.engine.device.engine_config import EngineConfig
from models.engine.device.torch_subprocess import ask_pytorch
from models.errors import DeviceError

_ANSWER = "from models.engine.memory_estimate import answer_on_stdin; answer_on_stdin()"


class _Question(TypedDict):
    config: dict[str, Any]
    sizes: dict[str, dict[str, Any]]


class _Answer(TypedDict):
    problem: str | None
    bytes: dict[str, int]


def estimate_engine_bytes(config: EngineConfig, sizes: Mapping[str, Dimensions]) -> dict[str, int]:
    """Bytes that an engine over a checkpoint of each of these sizes will hold, by its name.

    It costs seconds, and no memory of this process.

    Raises:
        DeviceError: as for `start_engine`, for no sizes as well; or PyTorch cannot be asked.
    """
    question = _Question(
        config=asdict(config), sizes={name: asdict(dims) for name, dims in sizes.items()}
    )
    answer: _Answer = ask_pytorch(_ANSWER, json.loads, json.dumps(question))
    if answer["problem"]:
        raise DeviceError(answer["problem"])
    return answer["bytes"]


def answer_on_stdin() -> None:
    """Answer the question of `estimate_engine_bytes` that comes by stdin, with PyTorch."""
    json.dump(_answer_to(json.load(sys.stdin)), sys.stdout)


def _answer_to(question: _Question) -> _Answer:
    # Here, not above: whoever asks does without PyTorch.
    from models.engine.device.device import resolve_device
    from models.engine.network.precision import resolve_precision
    from models.engine.start import engine_bytes

    config = EngineConfig(**question["config"])
    try:
        resolve_precision(config.dtype, resolve_device(config.device))
        estimates = {
            name: engine_bytes(Dimensions(**dims), config)
            for name, dims in question["sizes"].items()
        }
    except DeviceError as error:
        return _Answer(problem=error.message, bytes={})
    return _Answer(problem=None, bytes=estimates)
