"""Model archives: a stored checkpoint as one safetensors file, its description in the header."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ValidationError

from models.checkpoints.checkpoint_dir import StoredCheckpoint, load
from models.checkpoints.durable_files import (
    durable_file,
    fsync_directory,
    full_disk_explained,
    require_space,
)
from models.checkpoints.safetensors_file import read_metadata, read_tensors, write_tensors
from models.checkpoints.sources.source import Source
from models.checkpoints.weights import (
    Weights,
    build_weights,
    check_alignment_heads,
    dimensions_from,
    fingerprint,
)
from models.errors import CheckpointFormatError, ChecksumError

_ABOUT = "whisper-bento"
_CHECKSUM = "sha256"
# How the header begins, behind its length.
_BEGINNING = b'{"__metadata__":{"%s":' % _ABOUT.encode()
_LENGTH_BYTES = 8
# More than any header has.
_HEADER_BYTES = 1_000_000


def _printable(text: str) -> str:
    """For people to read: without what a terminal would obey."""
    return "".join(each if each.isprintable() else "?" for each in text)


_Text = Annotated[str, AfterValidator(_printable)]


class _About(BaseModel, strict=True, extra="forbid", frozen=True):
    """The header's description, its SHA-256 beside it; `fingerprint` is that of the weights."""

    source: _Text
    licence: _Text
    source_sha256: dict[_Text, _Text]
    dims: dict[str, int]
    alignment_heads: list[tuple[int, int]]
    fingerprint: str


def export_archive(stored: StoredCheckpoint, path: Path) -> str:
    """Write a checkpoint to `path`, whole or not at all; returns the file's hex SHA-256.

    The same checkpoint gives the same bytes, wherever and whenever it was imported. What a killed
    export has left, `path` with `.part`, is written over by the next one.

    Raises:
        CheckpointError: the checkpoint is damaged, or there is no room for the file.
        OSError: the file cannot be written.
    """
    weights = load(stored)
    about = _describe(stored, weights)
    metadata = {_ABOUT: about, _CHECKSUM: _sha256(about)}
    folder = path.absolute().parent
    require_space(folder, stored.size + _HEADER_BYTES)
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        with full_disk_explained(folder, "exported"), durable_file(unfinished) as out:
            write_tensors(weights.tensors, out, metadata)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    fsync_directory(folder)
    return out.sha256


def is_archive(path: Path) -> bool:
    """Whether a file begins as archives do."""
    with path.open("rb") as file:
        file.seek(_LENGTH_BYTES, os.SEEK_SET)
        return file.read(len(_BEGINNING)) == _BEGINNING


def read_archive(path: Path) -> Source:
    """Read an archive: tensors and plain values, nothing that could run.

    Raises:
        ChecksumError: what it says of itself, or a tensor, is not what its SHA-256 says.
        CheckpointFormatError: it is cut off, or was not written by `export_archive`.
    """
    about = _read_about(path)
    dims = dimensions_from(about.dims, path.name)
    heads = check_alignment_heads(dims, about.alignment_heads)
    tensors = read_tensors(path)
    if fingerprint(Weights(dims, tensors, heads)) != about.fingerprint:
        raise ChecksumError("its weights are not what their SHA-256 says")
    return Source(
        build_weights(dims, tensors, heads), about.source, about.source_sha256, about.licence
    )


def _describe(stored: StoredCheckpoint, weights: Weights) -> str:
    about = _About(
        source=stored.source,
        licence=stored.licence,
        source_sha256=dict(sorted(stored.source_sha256.items())),
        dims=asdict(stored.dims),
        alignment_heads=list(stored.alignment_heads),
        fingerprint=fingerprint(weights),
    )
    return about.model_dump_json()


def _read_about(path: Path) -> _About:
    metadata = read_metadata(path)
    about = metadata.get(_ABOUT, "")
    if metadata.get(_CHECKSUM) != _sha256(about):
        raise ChecksumError("its description is not what its SHA-256 says")
    try:
        return _About.model_validate_json(about)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise CheckpointFormatError(f"its description is of another form, in {place}") from error


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
