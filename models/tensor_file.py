"""Canonical weights to and from one safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from models.errors import CheckpointFormatError
from models.files import HashingWriter
from models.weights import tensor_bytes

_TYPE_NAMES = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32"}
_ALIGNMENT = 8


def tensor_file_size(tensors: Mapping[str, torch.Tensor]) -> int:
    """Bytes that `write_tensors` will write."""
    return 8 + len(_header(tensors)) + sum(tensor.nbytes for tensor in tensors.values())


def write_tensors(tensors: Mapping[str, torch.Tensor], out: HashingWriter) -> None:
    """Write contiguous CPU tensors in the safetensors format, sorted by name.

    The library's own writer hides the operating system's error (disk full) in a text and would
    make the SHA-256 cost a second reading; the format is a length, a JSON header and the data
    (https://huggingface.co/docs/safetensors).
    """
    header = _header(tensors)
    out.write(len(header).to_bytes(8, "little"))
    out.write(header)
    for name in sorted(tensors):
        out.write(tensor_bytes(tensors[name]))


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a safetensors file.

    Raises:
        CheckpointFormatError: the file is damaged or of another format; it is named.
    """
    try:
        return dict(load_file(path))
    except (SafetensorError, ValueError) as error:
        raise CheckpointFormatError(
            f"{path.name} is not a sound safetensors file: {error}"
        ) from error


def _header(tensors: Mapping[str, torch.Tensor]) -> bytes:
    entries: dict[str, object] = {}
    end = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        begin, end = end, end + tensor.nbytes
        entries[name] = {
            "dtype": _TYPE_NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    header = json.dumps(entries, separators=(",", ":")).encode()
    return header + b" " * (-len(header) % _ALIGNMENT)
