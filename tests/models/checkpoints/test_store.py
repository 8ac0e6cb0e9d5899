"""Tests of store.py and checkpoint_dir.py with a store of their own."""

from __future__ import annotations

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

from models.checkpoints import store
from models.checkpoints.weights import fingerprint
from models.errors import (
    CheckpointError,
    CheckpointFormatError,
    ChecksumError,
    UnknownCheckpointError,
)
from tests.own_store import latest, own_store, saved
from tests.tiny import TINY, tiny_weights


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Path]:
    """BENTOML_HOME of one test."""
    with own_store(tmp_path / "home") as path:
        yield path


def _flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_save_gives_a_tag_from_the_weights() -> None:
    stored = saved()
    assert stored.tag == f"whisper-mine:{fingerprint(tiny_weights())[:16]}"
    assert (stored.name, stored.source, stored.licence) == ("mine", "a test", "CC0-1.0")
    assert stored.dims == TINY
    assert sorted(stored.sha256) == ["config.json", "model.safetensors"]
    assert stored.size == sum((stored.path / name).stat().st_size for name in stored.sha256)
    assert abs((datetime.now(UTC) - stored.created).total_seconds()) < 60


def test_load_gives_the_weights_back() -> None:
    weights = tiny_weights(n_vocab=51866, n_mels=128)
    loaded = store.load(saved(weights=weights))
    assert loaded.dims == weights.dims
    assert loaded.alignment_heads == weights.alignment_heads
    assert loaded.tensors.keys() == weights.tensors.keys()
    for name, tensor in weights.tensors.items():
        assert loaded.tensors[name].dtype == tensor.dtype
        assert torch.equal(loaded.tensors[name], tensor)


def test_save_writes_nothing_but_data(home: Path) -> None:
    stored = saved()
    names = sorted(path.name for path in stored.path.iterdir())
    assert names == ["config.json", "model.safetensors", "model.yaml"]
    left = [path for path in (home / "tmp").rglob("*") if path.is_file() and path.name != "lock"]
    assert left == []


def test_save_records_the_upstream_hashes_for_bentoml() -> None:
    stored = saved()
    model = bentoml.models.get(stored.tag)
    assert model.info.metadata["source_sha256"] == {"x.pt": "ab" * 32}
    assert model.info.metadata["sha256"] == dict(stored.sha256)
    assert model.info.labels["licence"] == "CC0-1.0"
    assert model.info.labels["vocabulary"] == "multilingual"


def test_save_again_is_a_no_op() -> None:
    first = saved()
    inode = (first.path / "model.safetensors").stat().st_ino
    assert saved() == first
    assert (first.path / "model.safetensors").stat().st_ino == inode


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "model.yaml"])
def test_save_replaces_a_damaged_version(name: str) -> None:
    stored = saved()
    _flip(stored.path / name, 30)
    store.verify(saved())


def test_save_with_other_alignment_heads_replaces_them() -> None:
    saved()
    stored = saved(weights=replace(tiny_weights(), alignment_heads=((0, 1),)))
    assert stored.alignment_heads == ((0, 1),)
    assert len(store.list_checkpoints()) == 1


@pytest.mark.parametrize("name", ["", "Base", "a/b", "../x", "a:b", "-a", "a.", "a" * 56, "é"])
def test_save_refuses_a_name_that_is_no_tag(name: str) -> None:
    with pytest.raises(UnknownCheckpointError, match="cannot name a checkpoint"):
        saved(name)
    assert store.list_checkpoints() == []


def test_save_takes_the_longest_name() -> None:
    assert bentoml.models.get(saved("a" * 55).tag).path


def test_find_gives_the_newest_and_latest_follows(home: Path) -> None:
    old = saved()
    new = saved(weights=tiny_weights(seed=1))
    assert store.find("mine") == new
    assert latest(home) == new.tag.partition(":")[2]
    store.delete(new.tag)
    assert store.find("mine") == old
    assert latest(home) == old.tag.partition(":")[2]
    assert str(bentoml.models.get("whisper-mine:latest").tag) == old.tag


def test_find_knows_no_other_name() -> None:
    saved()
    assert store.find("min") is None
    assert store.find("mine.en") is None


def test_a_store_of_a_bento_is_read_beside_the_one_at_home(tmp_path: Path) -> None:
    at_home = saved("at-home")
    packed = tmp_path / "bento" / "models"
    packed.mkdir(parents=True)
    BentoMLContainer.model_store.set(ModelStore(packed))
    own = saved("packed")

    assert store.find("at-home") == at_home
    assert store.find("packed") == own
    assert own.path.is_relative_to(packed)
    assert store.list_checkpoints() == [at_home, own]


def test_find_tag_takes_a_version_or_latest() -> None:
    stored = saved()
    for tag in (stored.tag, "whisper-mine", "whisper-mine:latest"):
        assert store.find_tag(tag) == stored
    for tag in ("whisper-mine:0123", "mine", "../models/whisper-mine", ""):
        assert store.find_tag(tag) is None


def test_list_checkpoints_is_ordered_and_ours_only() -> None:
    with bentoml.models.create("other-model:v1"):
        pass
    stored = [saved("b"), saved("a"), saved("a", tiny_weights(seed=1))]
    assert store.list_checkpoints() == [stored[1], stored[2], stored[0]]


def test_delete_leaves_no_empty_name(home: Path) -> None:
    stored = saved()
    store.delete(stored.tag)
    assert list((home / "models").iterdir()) == []
    assert bentoml.models.list() == []
    with pytest.raises(UnknownCheckpointError, match="is not in the store"):
        store.delete(stored.tag)


@pytest.mark.parametrize("tag", ["whisper-mine", "other-model:v1", "", "..", "whisper-mine:.."])
def test_delete_takes_only_a_whole_tag_of_ours(tag: str) -> None:
    with bentoml.models.create("other-model:v1"):
        pass
    saved()
    with pytest.raises(UnknownCheckpointError):
        store.delete(tag)
    assert len(bentoml.models.list()) == 2


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
@pytest.mark.parametrize("place", [0.0, 0.5, 0.999])
def test_load_names_the_file_with_a_flipped_byte(name: str, place: float) -> None:
    stored = saved()
    path = stored.path / name
    _flip(path, int(place * path.stat().st_size))
    for use in (store.verify, store.load):
        with pytest.raises(ChecksumError, match=rf"{name}: the content is not what its SHA-256"):
            use(stored)


def test_load_names_a_missing_file() -> None:
    stored = saved()
    (stored.path / "model.safetensors").unlink()
    with pytest.raises(ChecksumError, match=r"model\.safetensors is missing"):
        store.load(stored)


def test_describe_refuses_any_changed_value_in_model_yaml() -> None:
    stored = saved()
    path = stored.path / "model.yaml"
    info = yaml.safe_load(path.read_text())
    info["labels"]["licence"] = "MIT"
    path.write_text(yaml.safe_dump(info))
    with pytest.raises(ChecksumError, match=r"model\.yaml: the content is not"):
        store.describe(stored.path)
    assert list(store.damaged_tags()) == [stored.tag]
    store.delete(stored.tag)
    assert store.damaged_tags() == {}


@pytest.mark.slow
def test_describe_survives_every_flipped_byte_in_model_yaml() -> None:
    stored = saved()
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


@pytest.mark.slow
def test_bentoml_exports_and_imports_a_checkpoint(tmp_path: Path) -> None:
    stored = saved()
    file = bentoml.models.export_model(stored.tag, str(tmp_path / "x.bentomodel"))
    store.delete(stored.tag)
    bentoml.models.import_model(file)
    again = store.find("mine")
    assert again == stored
    assert fingerprint(store.load(stored)) == fingerprint(tiny_weights())


def test_bentoml_model_resolves_the_tag() -> None:
    stored = saved()
    assert store.describe(Path(bentoml.models.BentoModel(stored.tag).resolve().path)) == stored
