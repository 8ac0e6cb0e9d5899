"""Imports from a site's mirror as people run them; its files are read by test_mirror.py."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.checkpoint_files import write_ctranslate2, write_openai
from tests.importing import Store, tag_in
from tests.tiny import tiny_weights


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A directory with one model, an openai-whisper file of this site's own."""
    path = tmp_path / "mirror"
    path.mkdir()
    write_openai(tiny_weights(), path / "mine.pt")
    write_openai(tiny_weights(), path / "base.pt")
    write_checksums(path)
    return path


@pytest.fixture
def store(tmp_path: Path, mirror: Path) -> Store:
    """A store on a machine that reaches the mirror and nothing else."""
    (tmp_path / "home").mkdir()
    store = Store(tmp_path / "home")
    store.environment |= {"WHISPER_MODEL_MIRROR": str(mirror), "PIP_NO_INDEX": "1"}
    store.environment |= {"HTTPS_PROXY": "http://127.0.0.1:9"}
    return store


def write_checksums(mirror: Path) -> None:
    """As people write them."""
    subprocess.run("sha256sum *.* > SHA256SUMS", shell=True, cwd=mirror, check=True)


def test_models_of_the_mirror_and_archives_of_them(
    store: Store, mirror: Path, tmp_path: Path
) -> None:
    out = store.succeed("import", "mine")
    assert f"from mirror {mirror}/mine.pt " in out
    source = write_ctranslate2(tiny_weights(), tmp_path / "ct2")
    store.succeed("import", "other", "--from", source, "--licence", "CC0-1.0")
    store.succeed("models", "export", "other", mirror / "team.safetensors")
    write_checksums(mirror)
    archived = store.succeed("import", "team", "--source", "mirror")
    assert f"from mirror {mirror}/team.safetensors " in archived
    assert tag_in(archived).partition(":")[2] == tag_in(out).partition(":")[2]
    assert (mirror / "mine.pt").is_file()


def test_changed_file_is_refused_and_leaves_nothing(store: Store, mirror: Path) -> None:
    write_openai(tiny_weights(1), mirror / "mine.pt")
    line = store.fail("import", "mine")
    assert line == f"error: {mirror}/mine.pt is not what its SHA-256 in SHA256SUMS says"


def test_what_the_mirror_has_not_comes_from_where_it_did(store: Store) -> None:
    assert "could not be reached (" in store.fail("import", "small")
    assert store.fail("import", "yours") == "error: WHISPER_MODEL_MIRROR has no yours"
    assert (
        store.fail("import", "small", "--source", "mirror")
        == "error: WHISPER_MODEL_MIRROR has no small"
    )
    assert "base has n_audio_state = 512" in store.fail("import", "base")


def test_mirror_that_is_not_set_or_malformed_is_one_line(store: Store) -> None:
    store.environment["WHISPER_MODEL_MIRROR"] = ""
    assert (
        store.fail("import", "base", "--source", "mirror")
        == "error: WHISPER_MODEL_MIRROR is not set"
    )
    store.environment["WHISPER_MODEL_MIRROR"] = "models"
    assert store.fail("import", "base").startswith(
        "error: WHISPER_MODEL_MIRROR='models': wanted an http"
    )
