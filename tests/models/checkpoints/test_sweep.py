"""Sweep of what killed imports have left, beside other sweeps."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import bentoml
import pytest

from models.checkpoints import store
from tests.own_store import latest, own_store, saved


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Path]:
    """BENTOML_HOME of one test."""
    with own_store(tmp_path / "home") as path:
        yield path


def test_sweep_removes_a_version_without_description(home: Path) -> None:
    kept = saved()
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
    stored = saved()
    (home / "models" / "whisper-mine" / "latest").write_text("0123")
    store.sweep()
    assert latest(home) == stored.tag.partition(":")[2]


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
