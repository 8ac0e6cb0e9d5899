"""Content-addressed store of checkpoints in BentoML's: saved atomically, verified when loaded."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bentoml._internal.configuration.containers import BentoMLContainer

from models.checkpoints import durable_files
from models.checkpoints.checkpoint_dir import (
    INFO_FILE,
    NAME_PREFIX,
    StoredCheckpoint,
    describe,
    load,
    verify,
    write,
)
from models.errors import CheckpointError, UnknownCheckpointError

if TYPE_CHECKING:
    from models.checkpoints.catalogue import AlignmentHeads
    from models.checkpoints.weights import Weights

__all__ = [
    "StoredCheckpoint",
    "check_name",
    "damaged_tags",
    "delete",
    "describe",
    "downloads_directory",
    "find",
    "find_tag",
    "list_checkpoints",
    "load",
    "save",
    "scratch_area",
    "sweep",
    "verify",
]

# A BentoML tag has at most 63 characters and ends with a letter or a digit.
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,53}[a-z0-9])?")
_VERSION_DIGITS = 16
_KEPT_DOWNLOAD_SECONDS = 7 * 24 * 3600


def find(name: str) -> StoredCheckpoint | None:
    """The newest checkpoint of that name (`base`, not an alias).

    Raises:
        ChecksumError: there is none that can be read, but one whose description is damaged.
    """
    found = [item for _, item in _scan(f"{NAME_PREFIX}{name}")]
    sound = [item for item in found if isinstance(item, StoredCheckpoint)]
    if sound:
        return _newest(sound)
    for item in found:
        if isinstance(item, CheckpointError):
            raise item
    return None


def find_tag(tag: str) -> StoredCheckpoint | None:
    """The checkpoint of `whisper-NAME:VERSION`; without a version, or with `latest`, the newest.

    Raises:
        ChecksumError: its description is damaged.
    """
    name, _, version = tag.partition(":")
    if not name.startswith(NAME_PREFIX):
        return None
    if version in ("", "latest"):
        return find(name.removeprefix(NAME_PREFIX))
    for found_tag, item in _scan(name):
        if found_tag == tag:
            if isinstance(item, CheckpointError):
                raise item
            return item
    return None


def list_checkpoints() -> list[StoredCheckpoint]:
    """Every checkpoint that can be read, by name and then from old to new."""
    found = [item for _, item in _scan_all() if isinstance(item, StoredCheckpoint)]
    return sorted(found, key=lambda checkpoint: (checkpoint.name, checkpoint.created))


def damaged_tags() -> dict[str, CheckpointError]:
    """Tags whose description cannot be read, each with what is wrong."""
    return {tag: item for tag, item in _scan_all() if isinstance(item, CheckpointError)}


def save(
    name: str, weights: Weights, source: str, licence: str, source_sha256: Mapping[str, str]
) -> StoredCheckpoint:
    """Put weights into the store under `whisper-NAME:FIRST-16-DIGITS-OF-THEIR-FINGERPRINT`.

    Nothing happens where the same weights are already there and verify; a damaged copy is
    replaced. The version appears by one rename of a finished directory, so a process killed at
    any moment leaves a store that lists and serves.

    Raises:
        CheckpointError: the name cannot be a tag, or there is no room for the weights.
    """
    from models.checkpoints.safetensors_file import tensor_file_size
    from models.checkpoints.weights import fingerprint

    check_name(name)
    tag = f"{NAME_PREFIX}{name}:{fingerprint(weights)[:_VERSION_DIGITS]}"
    if not _is_there(tag, weights.alignment_heads):
        area = scratch_area()
        durable_files.require_space(area, tensor_file_size(weights.tensors))
        with (
            durable_files.full_disk_explained(area),
            durable_files.scratch_directory(area) as scratch,
        ):
            write(scratch / "model", tag, weights, source, licence, source_sha256)
            with durable_files.locked(area / "lock"):
                if not _is_there(tag, weights.alignment_heads):
                    _publish(tag, scratch)
    stored = find_tag(tag)
    if stored is None:
        raise UnknownCheckpointError(f"{tag} was deleted while it was being imported")
    return stored


def delete(tag: str) -> None:
    """Remove one version, even a damaged one, by a rename out of the store.

    Raises:
        UnknownCheckpointError: the store has no such tag.
    """
    path = _models_root() / tag.replace(":", "/")
    if tag not in dict(_scan_all()):
        raise UnknownCheckpointError(f"{tag} is not in the store {_models_root()}")
    area = scratch_area()
    with durable_files.scratch_directory(area) as scratch, durable_files.locked(area / "lock"):
        path.rename(scratch / "deleted")
        durable_files.fsync_directory(path.parent)
        _settle(path.parent)


def sweep(settled_seconds: float = 60.0) -> None:
    """Remove what a killed import left: scratch, half-copied versions, empty names, old downloads.

    A version without `model.yaml` makes BentoML's own listing fail; only a killed
    `bentoml models import` leaves one, and one that changed less than
    `settled_seconds` ago may still be at work.
    """
    area = scratch_area()
    durable_files.sweep_scratch(area)
    oldest = time.time() - _KEPT_DOWNLOAD_SECONDS
    for path in downloads_directory().iterdir():
        with suppress(FileNotFoundError):  # another import has just removed it
            if path.stat().st_mtime < oldest:
                path.unlink()
    with durable_files.locked(area / "lock"):
        for home in _models_root().glob(f"{NAME_PREFIX}*/"):
            for version in home.glob("*/"):
                with suppress(FileNotFoundError):  # somebody is still at work in it
                    if not (version / INFO_FILE).exists() and _age(version) > settled_seconds:
                        shutil.rmtree(version)
            _settle(home)


def scratch_area() -> Path:
    """Our directory for unfinished work, on the store's file system and outside of its listing."""
    try:
        home = Path(BentoMLContainer.bentoml_home.get())
    except OSError as error:
        raise CheckpointError(f"BENTOML_HOME cannot be used: {error}") from error
    area = home / "tmp" / "whisper"
    area.mkdir(parents=True, exist_ok=True)
    return area


def downloads_directory() -> Path:
    """The directory of downloads until they are complete and imported."""
    path = scratch_area() / "downloads"
    path.mkdir(exist_ok=True)
    return path


def check_name(name: str) -> None:
    """Refuse a name that cannot be part of a tag.

    Raises:
        UnknownCheckpointError: says what a name may consist of.
    """
    if not _NAME.fullmatch(name):
        raise UnknownCheckpointError(
            f"{name!r} cannot name a checkpoint: at most 55 of a-z, 0-9, '.', '_' and '-', "
            "beginning and ending with a letter or digit"
        )


def _models_root() -> Path:
    # inside a container BentoML has set the bento's own store here
    return Path(BentoMLContainer.model_store.get()._path)  # noqa: SLF001 - told nowhere else


def _roots() -> list[Path]:
    """All that is read: beside a bento's own store the one at home, for more models than it has."""
    return [Path(BentoMLContainer.bentoml_home.get()) / "models", _models_root()]


def _newest(checkpoints: list[StoredCheckpoint]) -> StoredCheckpoint:
    return max(checkpoints, key=lambda checkpoint: checkpoint.created)


def _scan_all() -> Iterator[tuple[str, StoredCheckpoint | CheckpointError]]:
    names = {home.name for root in _roots() for home in root.glob(f"{NAME_PREFIX}*/")}
    for name in sorted(names):
        yield from _scan(name)


def _scan(name: str) -> Iterator[tuple[str, StoredCheckpoint | CheckpointError]]:
    found = {path.name: path for root in _roots() for path in (root / name).glob("*/")}
    for _, path in sorted(found.items()):
        if not (path / INFO_FILE).exists():
            continue
        try:
            yield f"{name}:{path.name}", describe(path)
        except CheckpointError as error:
            yield f"{name}:{path.name}", error


def _is_there(tag: str, alignment_heads: AlignmentHeads) -> bool:
    try:
        stored = find_tag(tag)
        if stored is None or stored.alignment_heads != alignment_heads:
            return False
        verify(stored)
    except CheckpointError:
        return False
    return True


def _publish(tag: str, scratch: Path) -> None:
    name, _, version = tag.partition(":")
    home = _models_root() / name
    home.mkdir(parents=True, exist_ok=True)
    target = home / version
    if target.exists():
        target.rename(scratch / "replaced")
    (scratch / "model").rename(target)
    durable_files.fsync_directory(home)
    durable_files.fsync_directory(home.parent)
    _settle(home)


def _settle(home: Path) -> None:
    """Point BentoML's `latest` at the newest version, or remove a name without any."""
    latest = home / "latest"
    if not any(home.glob("*/")):
        latest.unlink(missing_ok=True)
        if not any(home.iterdir()):
            home.rmdir()
        return
    sound = [item for _, item in _scan(home.name) if isinstance(item, StoredCheckpoint)]
    if not sound:
        return
    version = _newest(sound).tag.partition(":")[2]
    if not latest.exists() or latest.read_text().strip() != version:
        # whoever is here holds the lock, so the name is free
        unfinished = scratch_area() / "latest"
        unfinished.write_text(version)
        unfinished.replace(latest)


def _age(version: Path) -> float:
    # the change time: copying tools set the modification time back to the original's
    newest = max(path.stat().st_ctime for path in (version, *version.rglob("*")))
    return time.time() - newest
