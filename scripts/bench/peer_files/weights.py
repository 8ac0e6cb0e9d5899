"""Weights for a benchmark, and the files that peers want them in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.checkpoints import store
from models.checkpoints.catalogue import find_checkpoint
from models.checkpoints.weights import Weights
from scripts.bench.peer_files.ctranslate2_files import write_ctranslate2
from scripts.bench.peer_files.ggml_file import write_ggml
from scripts.bench.peer_files.random_weights import random_weights
from scripts.shared.errors import BenchError
from scripts.shared.run_config import RunConfig

_WRITERS: dict[str, Callable[[Weights, Path], Path]] = {
    "faster-whisper": write_ctranslate2,
    "faster-whisper-batched": write_ctranslate2,
    "whisper.cpp": write_ggml,
}


def write_files(setup: RunConfig, names: list[str], folder: Path) -> dict[str, str]:
    """Write what these competitors cannot read from the store; competitor -> its files.

    Raises:
        BenchError: the model is unknown or not in the store.
    """
    wanted = {name: _WRITERS[name] for name in names if name in _WRITERS}
    if not wanted:
        return {}
    weights = weights_of(setup)
    written = {
        writer: str(writer(weights, folder / writer.__name__)) for writer in set(wanted.values())
    }
    return {name: written[writer] for name, writer in wanted.items()}


def weights_of(setup: RunConfig) -> Weights:
    """The weights in the store, or random ones where the setup asks for them.

    Raises:
        BenchError: the model is unknown or not in the store.
        CheckpointError: what is in the store is damaged.
    """
    if setup.tokens_per_window is not None:
        checkpoint = find_checkpoint(setup.model)
        if checkpoint is None:
            raise BenchError(f"no official checkpoint is named {setup.model!r}")
        try:
            return random_weights(checkpoint.dims, setup.tokens_per_window)
        except ValueError as error:
            raise BenchError(str(error)) from error
    stored = store.find(setup.model)
    if stored is None:
        raise BenchError(
            f"{setup.model} is not in the model store: whisper-bento import {setup.model}"
        )
    return store.load(stored)
