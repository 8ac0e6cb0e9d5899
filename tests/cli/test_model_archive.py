"""Tests of model archives as people use them: one process writes them, another reads them."""

from __future__ import annotations

import resource
import signal
import time
from pathlib import Path

import pytest
import yaml

from tests.checkpoint_files import write_ctranslate2
from tests.importing import Store, tag_in
from tests.tiny import tiny_weights

# Enough that a process can be killed while it writes them.
_WIDE = {"n_audio_state": 512, "n_text_state": 512, "n_audio_layer": 2, "n_text_layer": 2}


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The store of a machine that can fetch models; it has one."""
    home = tmp_path_factory.mktemp("online")
    store = Store(home)
    source = write_ctranslate2(tiny_weights(**_WIDE), home / "ct2")
    store.succeed("import", "mine", "--from", source, "--licence", "CC0-1.0")
    return store


@pytest.fixture(scope="module")
def archive(online: Store) -> Path:
    path = online.home / "mine.safetensors"
    online.succeed("models", "export", "mine", path)
    return path


@pytest.fixture
def offline(tmp_path: Path) -> Store:
    """The store of a machine that is to have it; nothing else can be reached from there."""
    store = Store(tmp_path / "offline")
    store.home.mkdir()
    store.environment |= {"HTTPS_PROXY": "http://127.0.0.1:9", "PIP_NO_INDEX": "1"}
    return store


def info(store: Store) -> dict[str, object]:
    (tag,) = store.tags()
    name, _, version = tag.partition(":")
    return dict(yaml.safe_load((store.home / "models" / name / version / "model.yaml").read_text()))


def test_archive_gives_another_store_the_same_model(
    online: Store, offline: Store, archive: Path
) -> None:
    tag = tag_in(offline.succeed("import", "mine", "--from", archive))

    assert offline.tags() == online.tags() == [tag]
    assert offline.succeed("models", "verify") == f"{tag}  sound\n"
    there, here = info(online), info(offline)
    assert here["labels"] == there["labels"]
    assert here["labels"]["licence"] == "CC0-1.0"  # type: ignore[index]
    for of in ("sha256", "source_sha256", "size", "parameters"):
        assert here["metadata"][of] == there["metadata"][of]  # type: ignore[index]


def test_export_says_what_it_wrote(online: Store, archive: Path) -> None:
    copy = archive.with_name("copy.safetensors")

    out = online.succeed("models", "export", online.tags()[0], copy)

    assert out.startswith(f"{online.tags()[0]}  {copy.stat().st_size / 1e6:.1f} MB  in {copy}  ")
    assert copy.read_bytes() == archive.read_bytes()


def test_damaged_archive_is_one_line_and_leaves_nothing(offline: Store, archive: Path) -> None:
    damaged = offline.home.parent / "damaged"
    content = bytearray(archive.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)

    line = offline.fail("import", "mine", "--from", damaged)
    assert line == f"error: {damaged}: its weights are not what their SHA-256 says"
    assert offline.tags() == []


def test_archive_of_other_dimensions_is_not_taken_for_an_official_model(
    offline: Store, archive: Path
) -> None:
    line = offline.fail("import", "tiny", "--from", archive)

    assert "tiny has n_audio_state = 384, this checkpoint 512: give it another name" in line


def test_export_killed_while_it_writes_leaves_no_archive(
    online: Store, archive: Path, tmp_path: Path
) -> None:
    path, part = tmp_path / "killed", tmp_path / "killed.part"
    for _ in range(20):
        process = online.start("-m", "cli", "models", "export", "mine", path)
        while process.poll() is None and not part.exists():
            time.sleep(0.0002)
        # What is written by then is no part any more.
        was_writing = part.exists()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if was_writing and part.exists():
            break
        path.unlink(missing_ok=True)
    assert part.exists(), "none was killed: each was faster"
    assert not path.exists()

    online.succeed("models", "export", "mine", path)

    assert path.read_bytes() == archive.read_bytes()
    assert [each.name for each in tmp_path.iterdir()] == ["killed"]


def test_full_disk_is_one_line_and_leaves_no_archive(online: Store, tmp_path: Path) -> None:
    def no_file_over_one_megabyte() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    status, out, errors = online.run(
        "models", "export", "mine", tmp_path / "file", before=no_file_over_one_megabyte
    )
    assert (status, out) == (1, "")
    (line,) = errors.splitlines()
    assert line.startswith(f"error: cannot write to {tmp_path}: File too large")
    assert line.endswith("nothing was exported")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["mine"], ["a", "b", "c"]])
def test_wrong_usage_is_one_line(offline: Store, arguments: list[str]) -> None:
    status, out, errors = offline.run("models", "export", *arguments)
    assert (status, out) == (2, "")
    assert len(errors.splitlines()) == 1


def test_unknown_model_is_one_line(offline: Store, tmp_path: Path) -> None:
    line = offline.fail("models", "export", "mine", tmp_path / "file")

    assert line == "error: mine is not in the store"
    assert not (tmp_path / "file").exists()
