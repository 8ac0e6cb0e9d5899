"""One checkpoint's directory in the store: safetensors, config.json and BentoML's model.yaml."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from models.checkpoints import durable_files
from models.checkpoints.catalogue import AlignmentHeads, Dimensions
from models.errors import CheckpointFormatError, ChecksumError

if TYPE_CHECKING:
    from models.checkpoints.weights import Weights

NAME_PREFIX = "whisper-"
INFO_FILE = "model.yaml"
_WEIGHTS_FILE = "model.safetensors"
_CONFIG_FILE = "config.json"


@dataclass(frozen=True)
class StoredCheckpoint:
    """One checkpoint in the store; `size` is in bytes.

    `sha256` maps its files to their hashes, `source_sha256` those it was made of.
    """

    tag: str
    name: str
    path: Path
    dims: Dimensions
    alignment_heads: AlignmentHeads
    source: str
    licence: str
    sha256: Mapping[str, str]
    source_sha256: Mapping[str, str]
    size: int
    created: datetime


def describe(path: Path) -> StoredCheckpoint:
    """The checkpoint in a model directory of BentoML's, such as `BentoModel(tag).resolve().path`.

    Raises:
        ChecksumError: `model.yaml` or `config.json` is damaged; the message names the file.
        CheckpointFormatError: it is no checkpoint of ours.
    """
    info = _read_info(path)
    labels, metadata = info["labels"], info["metadata"]
    sha256 = dict(metadata["sha256"])
    _verify_file(path / _CONFIG_FILE, sha256[_CONFIG_FILE])
    config = json.loads((path / _CONFIG_FILE).read_text())
    return StoredCheckpoint(
        tag=f"{info['name']}:{info['version']}",
        name=info["name"].removeprefix(NAME_PREFIX),
        path=path,
        dims=Dimensions(**config["dims"]),
        alignment_heads=tuple((layer, head) for layer, head in config["alignment_heads"]),
        source=labels["source"],
        licence=labels["licence"],
        sha256=sha256,
        source_sha256=dict(metadata["source_sha256"]),
        size=metadata["size"],
        created=datetime.fromisoformat(info["creation_time"]),
    )


def verify(stored: StoredCheckpoint) -> None:
    """Hash every file of the checkpoint.

    Raises:
        ChecksumError: names the first file that is missing or not what its SHA-256 says.
    """
    for name, sha256 in stored.sha256.items():
        _verify_file(stored.path / name, sha256)


def load(stored: StoredCheckpoint) -> Weights:
    """The weights, once every file's SHA-256 has been found right.

    Raises:
        ChecksumError: names the first file that is missing or not what its SHA-256 says.
    """
    from models.checkpoints.safetensors_file import read_tensors
    from models.checkpoints.weights import Weights

    verify(stored)
    return Weights(stored.dims, read_tensors(stored.path / _WEIGHTS_FILE), stored.alignment_heads)


def write(
    path: Path,
    tag: str,
    weights: Weights,
    source: str,
    licence: str,
    source_sha256: Mapping[str, str],
) -> None:
    """Write a finished and durable model directory for `tag` at `path`.

    Raises:
        OSError: `path` exists, or cannot be written.
    """
    from models.checkpoints.safetensors_file import write_tensors
    from models.checkpoints.weights import VOCABULARIES

    path.mkdir()
    vocabulary = VOCABULARIES[weights.dims.n_vocab]
    with durable_files.durable_file(path / _WEIGHTS_FILE) as out:
        write_tensors(weights.tensors, out)
    config = {
        "dims": asdict(weights.dims),
        "vocabulary": vocabulary,
        "alignment_heads": weights.alignment_heads,
    }
    config_sha256 = durable_files.write_durably(path / _CONFIG_FILE, json.dumps(config, indent=1))
    metadata = {
        "sha256": {_WEIGHTS_FILE: out.sha256, _CONFIG_FILE: config_sha256},
        "source_sha256": dict(source_sha256),
        "size": sum(file.stat().st_size for file in path.iterdir()),
        "parameters": sum(tensor.numel() for tensor in weights.tensors.values()),
    }
    labels = {
        "source": source,
        "licence": licence,
        "vocabulary": vocabulary,
        "weights_sha256": out.sha256,
    }
    durable_files.write_durably(path / INFO_FILE, _info_yaml(tag, labels, metadata))
    durable_files.fsync_directory(path)


def _info_yaml(tag: str, labels: dict[str, str], metadata: dict[str, Any]) -> str:
    """BentoML's own description of a model (`bentoml/_internal/models/model.py`, `ModelInfo`)."""
    name, _, version = tag.partition(":")
    info = {
        "name": name,
        "version": version,
        "module": "",
        "labels": labels,
        "options": {},
        "metadata": metadata,
        "context": {
            "framework_name": "openai-whisper",
            "framework_versions": {},
            "bentoml_version": installed_version("bentoml"),
            "python_version": platform.python_version(),
        },
        "signatures": {},
        "api_version": "v1",
        "creation_time": datetime.now(UTC).isoformat(),
    }
    metadata["seal"] = _seal(info)
    return str(yaml.safe_dump(info, sort_keys=False))


def _read_info(path: Path) -> dict[str, Any]:
    file = path / INFO_FILE
    try:
        info = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        raise ChecksumError(f"{file} cannot be read: {type(error).__name__}") from error
    metadata = info.get("metadata") if isinstance(info, dict) else None
    if not isinstance(metadata, dict) or "seal" not in metadata:
        raise CheckpointFormatError(f"{file} was not written by this importer, or is damaged")
    if metadata["seal"] != _seal(info):
        raise ChecksumError(f"{file}: the content is not what its SHA-256 says")
    return dict(info)


def _verify_file(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise ChecksumError(f"{path} is missing")
    if durable_files.sha256_of(path) != sha256:
        raise ChecksumError(f"{path}: the content is not what its SHA-256 says")


def _seal(info: Mapping[str, Any]) -> str:
    metadata = {key: value for key, value in info["metadata"].items() if key != "seal"}
    content = json.dumps({**info, "metadata": metadata}, sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()
