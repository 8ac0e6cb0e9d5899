"""Format detection of a checkpoint on this machine, by its content."""

from __future__ import annotations

import zipfile
from pathlib import Path

from models.checkpoints.sources import transformers
from models.checkpoints.sources.archive import is_archive, read_archive
from models.checkpoints.sources.ctranslate2 import read_ctranslate2
from models.checkpoints.sources.openai import read_openai
from models.checkpoints.sources.source import Source
from models.errors import CheckpointFormatError, ChecksumError

_KNOWN = (
    "an openai-whisper .pt file, a Hugging Face directory (config.json and model.safetensors), "
    "a CTranslate2 directory (model.bin and config.json), or a model archive (import_model export)"
)


def open_source(path: Path) -> Source:
    """Read a local checkpoint.

    Raises:
        CheckpointFormatError: nothing is there, it is in none of the known formats, or damaged.
        ChecksumError: it is a model archive, and damaged.
    """
    try:
        return _open(path)
    except (CheckpointFormatError, ChecksumError) as error:
        raise type(error)(f"{path}: {error.message}") from error


def _open(path: Path) -> Source:
    if path.is_file() and zipfile.is_zipfile(path):
        return read_openai(path)
    if path.is_file() and is_archive(path):
        return read_archive(path)
    if path.is_dir():
        if (path / "model.bin").is_file():
            return read_ctranslate2(path)
        if (path / "config.json").is_file():
            return transformers.read_transformers(path)
    if not path.exists():
        raise CheckpointFormatError("no such file or directory")
    raise CheckpointFormatError(f"not a checkpoint this version can read; it reads {_KNOWN}")
