"""Safetensors files: canonical weights written and read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from models.checkpoints.durable_files import HashingWriter
from models.checkpoints.weights import tensor_bytes
from models.errors import CheckpointFormatError

_TYPE_NAMES = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32"}
_ALIGNMENT = 8


def tensor_file_size(tensors: Mapping[str, torch.Tensor]) -> int:
    """Bytes that `write_tensors` will write."""
    return 8 + len(_header(tensors)) + sum(tensor.nbytes for tensor in tensors.values())


def write_tensors(
    tensors: Mapping[str, torch.Tensor],
    out: HashingWriter,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write contiguous CPU tensors in the safetensors format, sorted by name.

    `metadata` are texts for the header, which begins with them.

    The library's own writer hides the operating system's error (disk full) in a text and would
    make the SHA-256 cost a second reading; the format is a length, a JSON header and the data
    (https://huggingface.co/docs/safetensors).
    """
    header = _header(tensors, metadata)
    out.write(len(header).to_bytes(8, "little"))
    out.write(header)
    for name in sorted(tensors):
        out.write(tensor_bytes(tensors[name]))


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a safetensors file.

    Raises:
        CheckpointFormatError: the file is damaged or of another format; it is named.
    """
    with _sound(path):
        return dict(load_file(path))


def read_metadata(path: Path) -> dict[str, str]:
    """The texts in a safetensors file's header.

    Raises:
        CheckpointFormatError: the file is damaged or of another format; it is named.
    """
    with _sound(path), safe_open(path, "pt") as file:
        return dict(file.metadata() or {})


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    try:
        yield
    except (SafetensorError, ValueError) as error:
        raise CheckpointFormatError(
            f"{path.name} is not a sound safetensors file: {error}"
        ) from error


def _header(
    tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None = None
) -> bytes:
    entries: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
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
