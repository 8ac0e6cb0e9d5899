"""Tests of models/store.py, models/stored.py and models/files.py with a store of their own."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import bentoml
import pytest
import torch
import yaml
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.models import ModelStore

from models import store
from models.errors import (
    CheckpointError,
    CheckpointFormatError,
    ChecksumError,
    UnknownCheckpointError,
)
from models.files import locked, scratch_directory, sweep_scratch
from models.store import StoredCheckpoint
from models.weights import Weights, fingerprint
from tests.tiny import TINY, tiny_weights


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Path]:
    """BENTOML_HOME of one test; BentoML reads the variable only once a process."""
    path = tmp_path / "home"
    (path / "models").mkdir(parents=True)
    BentoMLContainer.bentoml_home.set(str(path))
    BentoMLContainer.model_store.set(ModelStore(path / "models"))
    yield path
    BentoMLContainer.bentoml_home.reset()
    BentoMLContainer.model_store.reset()


def _save(name: str = "mine", weights: Weights | None = None) -> StoredCheckpoint:
    return store.save(name, weights or tiny_weights(), "a test", "CC0-1.0", {"x.pt": "ab" * 32})


def _latest(home: Path, name: str = "mine") -> str:
    return (home / "models" / f"whisper-{name}" / "latest").read_text()


def _flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_save_gives_a_tag_from_the_weights() -> None:
    stored = _save()
    assert stored.tag == f"whisper-mine:{fingerprint(tiny_weights())[:16]}"
    assert (stored.name, stored.source, stored.licence) == ("mine", "a test", "CC0-1.0")
    assert stored.dims == TINY
    assert sorted(stored.sha256) == ["config.json", "model.safetensors"]
    assert stored.size == sum((stored.path / name).stat().st_size for name in stored.sha256)
    assert abs((datetime.now(UTC) - stored.created).total_seconds()) < 60


def test_load_gives_the_weights_back() -> None:
    weights = tiny_weights(n_vocab=51866, n_mels=128)
    loaded = store.load(_save(weights=weights))
    assert loaded.dims == weights.dims
    assert loaded.alignment_heads == weights.alignment_heads
    assert loaded.tensors.keys() == weights.tensors.keys()
    for name, tensor in weights.tensors.items():
        assert loaded.tensors[name].dtype == tensor.dtype
        assert torch.equal(loaded.tensors[name], tensor)


def test_save_writes_nothing_but_data(home: Path) -> None:
    stored = _save()
    names = sorted(path.name for path in stored.path.iterdir())
    assert names == ["config.json", "model.safetensors", "model.yaml"]
    left = [path for path in (home / "tmp").rglob("*") if path.is_file() and path.name != "lock"]
    assert left == []


def test_save_records_the_upstream_hashes_for_bentoml() -> None:
    stored = _save()
    model = bentoml.models.get(stored.tag)
    assert model.info.metadata["source_sha256"] == {"x.pt": "ab" * 32}
    assert model.info.metadata["sha256"] == dict(stored.sha256)
    assert model.info.labels["licence"] == "CC0-1.0"
    assert model.info.labels["vocabulary"] == "multilingual"


def test_save_again_is_a_no_op() -> None:
    first = _save()
    inode = (first.path / "model.safetensors").stat().st_ino
    assert _save() == first
    assert (first.path / "model.safetensors").stat().st_ino == inode


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "model.yaml"])
def test_save_replaces_a_damaged_version(name: str) -> None:
    stored = _save()
    _flip(stored.path / name, 30)
    store.verify(_save())


def test_save_with_other_alignment_heads_replaces_them() -> None:
    _save()
    stored = _save(weights=replace(tiny_weights(), alignment_heads=((0, 1),)))
    assert stored.alignment_heads == ((0, 1),)
    assert len(store.list_checkpoints()) == 1


@pytest.mark.parametrize("name", ["", "Base", "a/b", "../x", "a:b", "-a", "a.", "a" * 56, "é"])
def test_save_refuses_a_name_that_is_no_tag(name: str) -> None:
    with pytest.raises(UnknownCheckpointError, match="cannot name a checkpoint"):
        _save(name)
    assert store.list_checkpoints() == []


def test_save_takes_the_longest_name() -> None:
    assert bentoml.models.get(_save("a" * 55).tag).path


def test_find_gives_the_newest_and_latest_follows(home: Path) -> None:
    old = _save()
    new = _save(weights=tiny_weights(seed=1))
    assert store.find("mine") == new
    assert _latest(home) == new.tag.partition(":")[2]
    store.delete(new.tag)
    assert store.find("mine") == old
    assert _latest(home) == old.tag.partition(":")[2]
    assert str(bentoml.models.get("whisper-mine:latest").tag) == old.tag


def test_find_knows_no_other_name() -> None:
    _save()
    assert store.find("min") is None
    assert store.find("mine.en") is None


def test_a_store_of_a_bento_is_read_beside_the_one_at_home(tmp_path: Path) -> None:
    at_home = _save("at-home")
    packed = tmp_path / "bento" / "models"
    packed.mkdir(parents=True)
    BentoMLContainer.model_store.set(ModelStore(packed))
    own = _save("packed")

    assert store.find("at-home") == at_home
    assert store.find("packed") == own
    assert own.path.is_relative_to(packed)
    assert store.list_checkpoints() == [at_home, own]


def test_find_tag_takes_a_version_or_latest() -> None:
    stored = _save()
    for tag in (stored.tag, "whisper-mine", "whisper-mine:latest"):
        assert store.find_tag(tag) == stored
    for tag in ("whisper-mine:0123", "mine", "../models/whisper-mine", ""):
        assert store.find_tag(tag) is None


def test_list_checkpoints_is_ordered_and_ours_only() -> None:
    with bentoml.models.create("other-model:v1"):
        pass
    stored = [_save("b"), _save("a"), _save("a", tiny_weights(seed=1))]
    assert store.list_checkpoints() == [stored[1], stored[2], stored[0]]


def test_delete_leaves_no_empty_name(home: Path) -> None:
    stored = _save()
    store.delete(stored.tag)
    assert list((home / "models").iterdir()) == []
    assert bentoml.models.list() == []
    with pytest.raises(UnknownCheckpointError, match="is not in the store"):
        store.delete(stored.tag)


@pytest.mark.parametrize("tag", ["whisper-mine", "other-model:v1", "", "..", "whisper-mine:.."])
def test_delete_takes_only_a_whole_tag_of_ours(tag: str) -> None:
    with bentoml.models.create("other-model:v1"):
        pass
    _save()
    with pytest.raises(UnknownCheckpointError):
        store.delete(tag)
    assert len(bentoml.models.list()) == 2


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
@pytest.mark.parametrize("place", [0.0, 0.5, 0.999])
def test_load_names_the_file_with_a_flipped_byte(name: str, place: float) -> None:
    stored = _save()
    path = stored.path / name
    _flip(path, int(place * path.stat().st_size))
    for use in (store.verify, store.load):
        with pytest.raises(ChecksumError, match=rf"{name}: the content is not what its SHA-256"):
            use(stored)


def test_load_names_a_missing_file() -> None:
    stored = _save()
    (stored.path / "model.safetensors").unlink()
    with pytest.raises(ChecksumError, match=r"model\.safetensors is missing"):
        store.load(stored)


def test_describe_refuses_any_changed_value_in_model_yaml() -> None:
    stored = _save()
    path = stored.path / "model.yaml"
    info = yaml.safe_load(path.read_text())
    info["labels"]["licence"] = "MIT"
    path.write_text(yaml.safe_dump(info))
    with pytest.raises(ChecksumError, match=r"model\.yaml: the content is not"):
        store.describe(stored.path)
    assert list(store.damaged_tags()) == [stored.tag]
    store.delete(stored.tag)
    assert store.damaged_tags() == {}


def test_describe_survives_every_flipped_byte_in_model_yaml() -> None:
    stored = _save()
    path = stored.path / "model.yaml"
    content = path.read_bytes()
    refused = []
    for position in range(len(content)):
        _flip(path, position)
        try:
            assert store.describe(stored.path) == stored
        except CheckpointError as error:
            refused.append(error.message)
        path.write_bytes(content)
    assert len(refused) > 0.95 * len(content)
    assert all("model.yaml" in message for message in refused)


def test_describe_refuses_a_model_of_others() -> None:
    with bentoml.models.create("whisper-theirs:v1") as model:
        pass
    with pytest.raises(CheckpointFormatError, match="was not written by this importer"):
        store.describe(Path(model.path))
    with pytest.raises(CheckpointFormatError):
        store.find("theirs")


def test_bentoml_exports_and_imports_a_checkpoint(tmp_path: Path) -> None:
    stored = _save()
    file = bentoml.models.export_model(stored.tag, str(tmp_path / "x.bentomodel"))
    store.delete(stored.tag)
    bentoml.models.import_model(file)
    again = store.find("mine")
    assert again == stored
    assert fingerprint(store.load(stored)) == fingerprint(tiny_weights())


def test_bentoml_model_resolves_the_tag() -> None:
    stored = _save()
    assert store.describe(Path(bentoml.models.BentoModel(stored.tag).resolve().path)) == stored


def test_sweep_removes_a_version_without_description(home: Path) -> None:
    kept = _save()
    for broken in ("whisper-mine/0123", "whisper-gone/0123"):
        path = home / "models" / broken
        path.mkdir(parents=True)
        (path / "model.safetensors").touch()
    with pytest.raises(bentoml.exceptions.BentoMLException):
        bentoml.models.list()
    store.sweep(settled_seconds=0)
    assert [str(model.tag) for model in bentoml.models.list()] == [kept.tag]
    assert [path.name for path in (home / "models").iterdir()] == ["whisper-mine"]


def test_sweep_leaves_a_version_that_is_being_copied(home: Path) -> None:
    path = home / "models" / "whisper-mine" / "0123"
    path.mkdir(parents=True)
    store.sweep()
    assert path.exists()


def test_sweep_mends_latest(home: Path) -> None:
    stored = _save()
    (home / "models" / "whisper-mine" / "latest").write_text("0123")
    store.sweep()
    assert _latest(home) == stored.tag.partition(":")[2]


def test_sweep_keeps_a_download_for_a_week(home: Path) -> None:
    young, old = (store.downloads_directory() / name for name in ("a.part", "b.part"))
    young.touch()
    old.touch()
    eight_days_ago = time.time() - 8 * 24 * 3600
    os.utime(old, (eight_days_ago, eight_days_ago))
    store.sweep()
    assert list((home / "tmp" / "whisper" / "downloads").iterdir()) == [young]


def test_sweep_leaves_a_download_to_another_sweep_that_is_faster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    downloads = store.downloads_directory()
    for name in ("a.part", "b.part"):
        (downloads / name).touch()
    remove_when_listed(monkeypatch, "iterdir")
    store.sweep()
    assert list(downloads.iterdir()) == []


def test_sweep_leaves_a_version_whose_files_come_and_go(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = home / "models" / "whisper-mine" / "0123"
    version.mkdir(parents=True)
    (version / "model.safetensors").touch()
    remove_when_listed(monkeypatch, "rglob")
    store.sweep(settled_seconds=0)
    assert version.exists()


def remove_when_listed(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Have a method of `Path` remove each file that it names, as another process might."""
    listed = getattr(Path, method)

    def named(*arguments: object) -> Iterator[Path]:
        for path in listed(*arguments):
            if path.is_file():
                path.unlink()
            yield path

    monkeypatch.setattr(Path, method, named)


def test_sweep_scratch_takes_what_its_owner_removes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = tmp_path / "scratch-finished"
    finished.mkdir()
    lock = fcntl.flock

    def lock_late(file: object, how: int) -> None:
        if isinstance(file, int) and finished.exists():
            shutil.rmtree(finished)
        lock(file, how)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "flock", lock_late)
    sweep_scratch(tmp_path)
    assert not finished.exists()


def test_sweep_scratch_leaves_what_is_in_use(tmp_path: Path) -> None:
    abandoned = tmp_path / "scratch-abandoned"
    abandoned.mkdir()
    (abandoned / "file").touch()
    with scratch_directory(tmp_path) as used:
        sweep_scratch(tmp_path)
        assert used.exists()
    assert not used.exists()
    assert not abandoned.exists()


def test_locked_says_when_it_waits(tmp_path: Path) -> None:
    told: list[str] = []
    pid = os.fork()
    if not pid:
        with locked(tmp_path / "lock"):
            (tmp_path / "held").touch()
            time.sleep(0.3)
        os._exit(0)
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    with locked(tmp_path / "lock", lambda: told.append("waiting")):
        assert told == ["waiting"]
    os.waitpid(pid, 0)
