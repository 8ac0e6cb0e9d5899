"""openai-whisper's own `.pt` files."""

from __future__ import annotations

import base64
import gzip
import pickle
import zipfile
from pathlib import Path

import numpy as np
import torch
import whisper

from models.checkpoints.catalogue import AlignmentHeads, Checkpoint
from models.checkpoints.durable_files import sha256_of
from models.checkpoints.sources.source import Source
from models.checkpoints.weights import build_weights, dimensions_from
from models.errors import CheckpointFormatError

_DAMAGED = (pickle.UnpicklingError, RuntimeError, ValueError, LookupError, EOFError, TypeError)


def read_openai(path: Path) -> Source:
    """Read a `.pt` with `dims` and `model_state_dict` (openai-whisper, `whisper.load_model`).

    Only tensors and plain values are unpickled (`weights_only`), never code.

    Raises:
        CheckpointFormatError: the file is damaged or of another format.
    """
    checkpoint = _unpickle(path)
    dims, state = _part(checkpoint, "dims"), _part(checkpoint, "model_state_dict")
    weights = build_weights(dimensions_from(dims, path.name), state)
    return Source(weights, f"openai-whisper file {path.name}", {path.name: sha256_of(path)})


def official_alignment_heads(checkpoint: Checkpoint) -> AlignmentHeads:
    """(layer, head) pairs of an official checkpoint (openai-whisper, `_ALIGNMENT_HEADS`)."""
    packed = whisper._ALIGNMENT_HEADS[checkpoint.name]  # noqa: SLF001 - no public table
    mask = np.frombuffer(gzip.decompress(base64.b85decode(packed)), dtype=bool)
    pairs = np.argwhere(mask.reshape(checkpoint.dims.n_text_layer, checkpoint.dims.n_text_head))
    return tuple((int(layer), int(head)) for layer, head in pairs)


def _unpickle(path: Path) -> object:
    if not zipfile.is_zipfile(path):
        raise CheckpointFormatError(
            f"{path.name} is no PyTorch file that openai-whisper has written, or it is cut off"
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGED as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointFormatError(f"{path.name} cannot be read: {reason}") from error


def _part(checkpoint: object, key: str) -> dict[str, torch.Tensor]:
    part = checkpoint.get(key) if isinstance(checkpoint, dict) else None
    if not isinstance(part, dict):
        raise CheckpointFormatError(f"no {key} in it: not a file that openai-whisper has written")
    return part
