"""CTranslate2's `model.bin`, version 6, read with every bound checked."""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import torch

from models.errors import CheckpointFormatError

_VERSION = 6
_SPECIFICATION = "WhisperSpec"
# CTranslate2's `DataType` enumeration, as far as its converter writes it.
_TYPES = {
    0: torch.float32,
    1: torch.int8,
    2: torch.int16,
    3: torch.int32,
    4: torch.float16,
    5: torch.bfloat16,
}
_MAX_RANK = 4


def read_model_bin(path: Path) -> dict[str, torch.Tensor]:
    """Every variable of a Whisper `model.bin`, those that are aliases of others included.

    Raises:
        CheckpointFormatError: the file is cut off or of another format; it is named.
    """
    if not path.stat().st_size:
        raise CheckpointFormatError(f"{path.name} is empty")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _parse(_Reader(content, path.name))


@dataclass
class _Reader:
    """A cursor over the file that never reads past its end."""

    content: mmap.mmap
    name: str
    position: int = 0

    def take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self.content):
            raise CheckpointFormatError(f"{self.name} is cut off at byte {len(self.content)}")
        data = self.content[self.position : end]
        self.position = end
        return data

    def integer(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def string(self) -> str:
        data = self.take(self.integer(2))
        try:
            return data.removesuffix(b"\0").decode()
        except UnicodeDecodeError as error:
            raise CheckpointFormatError(f"{self.name} has a name that is no text") from error


def _parse(reader: _Reader) -> dict[str, torch.Tensor]:
    version = reader.integer(4)
    if version != _VERSION:
        raise CheckpointFormatError(
            f"{reader.name} is no CTranslate2 model of version {_VERSION} (it says {version})"
        )
    specification = reader.string()
    if specification != _SPECIFICATION:
        raise CheckpointFormatError(f"{reader.name} holds a {specification!r}, not a Whisper model")
    reader.integer(4)  # the specification's revision: the names decide what is in it
    variables = dict(_variable(reader) for _ in range(reader.integer(4)))
    for _ in range(reader.integer(4)):
        alias, target = reader.string(), reader.string()
        if target not in variables:
            raise CheckpointFormatError(f"{reader.name}: {alias} stands for unknown {target}")
        variables[alias] = variables[target]
    if reader.position != len(reader.content):
        raise CheckpointFormatError(f"{reader.name} goes on after its end")
    return variables


def _variable(reader: _Reader) -> tuple[str, torch.Tensor]:
    name, rank = reader.string(), reader.integer(1)
    if rank > _MAX_RANK:
        raise CheckpointFormatError(f"{reader.name}: {name} has {rank} dimensions")
    shape = struct.unpack(f"<{rank}I", reader.take(4 * rank))
    type_id, size = reader.integer(1), reader.integer(4)
    dtype = _TYPES.get(type_id)
    if dtype is None or not size or size != math.prod(shape) * dtype.itemsize:
        raise CheckpointFormatError(
            f"{reader.name}: {name} {list(shape)} of type {type_id} cannot have {size} bytes"
        )
    # a copy of its own, for the values lie unaligned in the file
    return name, torch.frombuffer(bytearray(reader.take(size)), dtype=dtype).reshape(shape)
