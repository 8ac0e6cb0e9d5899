"""What engines will hold in memory: `foresee` asks, `python -m models.engine.foresight` answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypedDict

from models.catalogue import Dimensions
from models.engine.aside import ask_pytorch
from models.engine.config import EngineConfig
from models.errors import DeviceError


class _Question(TypedDict):
    config: dict[str, Any]
    sizes: dict[str, dict[str, Any]]


class _Answer(TypedDict):
    problem: str | None
    bytes: dict[str, int]


def foresee(config: EngineConfig, sizes: Mapping[str, Dimensions]) -> dict[str, int]:
    """Bytes that an engine over a checkpoint of each of these sizes will hold, by its name.

    It costs seconds, and no memory of this process.

    Raises:
        DeviceError: as for `start_engine`, for no sizes as well; or PyTorch cannot be asked.
    """
    question = _Question(
        config=asdict(config), sizes={name: asdict(dims) for name, dims in sizes.items()}
    )
    answer: _Answer = json.loads(ask_pytorch(["-m", __name__], json.dumps(question)))
    if answer["problem"]:
        raise DeviceError(answer["problem"])
    return answer["bytes"]


def _answer(question: _Question) -> _Answer:
    # Here, not above: whoever asks does without PyTorch.
    from models.engine.device import resolve_device
    from models.engine.precision import resolve_precision
    from models.engine.start import foresee_bytes

    config = EngineConfig(**question["config"])
    try:
        resolve_precision(config.dtype, resolve_device(config.device))
        foreseen = {
            name: foresee_bytes(Dimensions(**dims), config)
            for name, dims in question["sizes"].items()
        }
    except DeviceError as error:
        return _Answer(problem=error.message, bytes={})
    return _Answer(problem=None, bytes=foreseen)


if __name__ == "__main__":
    json.dump(_answer(json.load(sys.stdin)), sys.stdout)
