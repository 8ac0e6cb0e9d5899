"""Tests of archive.py: what leaves a store as one file, and comes into another."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.checkpoints import checkpoint_dir
from models.checkpoints.checkpoint_dir import StoredCheckpoint
from models.checkpoints.durable_files import sha256_of
from models.checkpoints.sources.archive import export_archive, is_archive
from models.checkpoints.sources.local import open_source
from models.checkpoints.weights import Weights, fingerprint
from models.errors import CheckpointFormatError, ChecksumError
from tests.tiny import tiny_weights

SOURCES = {"https://example.org/tiny.pt": "ab" * 32, "a": "cd" * 32}


def checkpoint(path: Path, weights: Weights | None = None, source: str = "a test") -> Path:
    checkpoint_dir.write(
        path, "whisper-mine:v1", weights or tiny_weights(), source, "CC0-1.0", dict(SOURCES)
    )
    return path


@pytest.fixture
def kept(tmp_path: Path) -> StoredCheckpoint:
    """A checkpoint as it lies in a store."""
    return checkpoint_dir.describe(checkpoint(tmp_path / "kept"))


@pytest.fixture
def archive(kept: StoredCheckpoint, tmp_path: Path) -> Path:
    export_archive(kept, tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


def header(path: Path) -> tuple[dict[str, Any], bytes]:
    """What a safetensors file begins with, and the tensors' bytes behind it."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def rewrite(path: Path, about: str, **checksum: str) -> None:
    """Let an archive say something else of itself, with the right checksum unless it is given."""
    entries, tensors = header(path)
    sha256 = hashlib.sha256(about.encode()).hexdigest()
    entries["__metadata__"] = {"whisper-bento": about, "sha256": sha256, **checksum}
    text = json.dumps(entries, separators=(",", ":")).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + tensors)


def about(path: Path) -> dict[str, Any]:
    return dict(json.loads(header(path)[0]["__metadata__"]["whisper-bento"]))


def test_archive_gives_everything_back(kept: StoredCheckpoint, archive: Path) -> None:
    source = open_source(archive)

    assert fingerprint(source.weights) == fingerprint(tiny_weights())
    assert source.weights.dims == kept.dims
    assert source.weights.alignment_heads == kept.alignment_heads
    assert (source.description, source.licence) == ("a test", "CC0-1.0")
    assert source.sha256 == SOURCES


def test_own_alignment_heads_travel(tmp_path: Path) -> None:
    weights = replace(tiny_weights(), alignment_heads=((0, 1),))
    export_archive(
        checkpoint_dir.describe(checkpoint(tmp_path / "kept", weights)), tmp_path / "file"
    )

    assert open_source(tmp_path / "file").weights.alignment_heads == ((0, 1),)


def test_same_weights_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    again = checkpoint_dir.describe(checkpoint(tmp_path / "imported later"))

    sha256 = export_archive(again, tmp_path / "again")

    assert sha256 == sha256_of(archive) == sha256_of(tmp_path / "again")


def test_archive_is_a_file_of_tensors_for_everybody(archive: Path) -> None:
    tensors = load_file(archive)

    assert tensors.keys() == tiny_weights().tensors.keys()
    assert torch.equal(tensors["decoder.ln.bias"], tiny_weights().tensors["decoder.ln.bias"])


def test_damaged_checkpoint_is_not_exported(kept: StoredCheckpoint, tmp_path: Path) -> None:
    weights = kept.path / "model.safetensors"
    flip(weights, weights.stat().st_size - 1)

    with pytest.raises(ChecksumError, match=r"model\.safetensors: the content is not what"):
        export_archive(kept, tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_export_replaces_what_was_there_whole(kept: StoredCheckpoint, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"older")
    (tmp_path / "file.part").write_bytes(b"of an export that was killed")

    export_archive(kept, tmp_path / "file")

    assert is_archive(tmp_path / "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "kept"]


def test_failed_export_leaves_what_was_there(kept: StoredCheckpoint, tmp_path: Path) -> None:
    (tmp_path / "folder" / "full").mkdir(parents=True)

    with pytest.raises(OSError, match="folder"):
        export_archive(kept, tmp_path / "folder")
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["full"]
    assert not (tmp_path / "folder.part").exists()


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        (byte,) = file.read(1)
        file.seek(position)
        file.write(bytes([byte ^ 1]))


def places(path: Path) -> list[int]:
    """Some of the header, of its end and of the tensors."""
    entries, tensors = header(path)
    size = path.stat().st_size
    begin = size - len(tensors)
    wanted = [*range(8), *range(8, begin, 97), begin - 1, begin, (begin + size) // 2, size - 1]
    assert entries
    return wanted


def test_no_flipped_byte_is_taken(archive: Path) -> None:
    sound = archive.read_bytes()
    for place in places(archive):
        archive.write_bytes(sound)
        flip(archive, place)
        with pytest.raises((ChecksumError, CheckpointFormatError)) as caught:
            open_source(archive)
        assert str(archive) in caught.value.message
        assert "\n" not in caught.value.message


@pytest.mark.parametrize("rest", [1, 8, 100, 50_000, -1])
def test_cut_off_is_refused(archive: Path, rest: int) -> None:
    os.truncate(archive, archive.stat().st_size + rest if rest < 0 else rest)

    with pytest.raises(CheckpointFormatError, match=r"mine\.safetensors: "):
        open_source(archive)


def test_more_at_the_end_is_refused(archive: Path) -> None:
    with archive.open("ab") as file:
        file.write(b"\0")

    with pytest.raises(CheckpointFormatError, match="not a sound safetensors file"):
        open_source(archive)


def test_tensors_of_somebody_else_are_no_archive(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "x", {"format": "pt"})

    with pytest.raises(CheckpointFormatError, match="not a checkpoint this version can read"):
        open_source(tmp_path / "x")


def test_changed_description_is_refused(archive: Path) -> None:
    changed = json.dumps(about(archive) | {"licence": "MIT"})
    old = header(archive)[0]["__metadata__"]["sha256"]
    rewrite(archive, changed, sha256=old)

    with pytest.raises(ChecksumError, match="its description is not what its SHA-256 says"):
        open_source(archive)


def test_other_weights_are_refused(archive: Path) -> None:
    rewrite(archive, json.dumps(about(archive) | {"fingerprint": "0" * 64}))

    with pytest.raises(ChecksumError, match="its weights are not what their SHA-256 says"):
        open_source(archive)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"more": 1}, "of another form, in more"),
        ({"licence": None}, "of another form, in licence"),
        ({"dims": {"n_mels": "80"}}, r"of another form, in dims\.n_mels"),
        ({"dims": {"n_mels": 80}}, "the dimensions must be exactly"),
        ({"alignment_heads": [[7, 0]]}, "is no .layer, head. of this decoder"),
        ({"alignment_heads": []}, "alignment_heads must be a list"),
    ],
)
def test_forged_description_is_one_line(archive: Path, change: dict[str, Any], reason: str) -> None:
    rewrite(archive, json.dumps(about(archive) | change))

    with pytest.raises(CheckpointFormatError, match=reason) as caught:
        open_source(archive)
    assert "\n" not in caught.value.message


def test_forged_weights_must_still_be_whispers(archive: Path) -> None:
    weights = tiny_weights()
    forged = replace(weights, tensors={"decoder.ln.bias": weights.tensors["decoder.ln.bias"]})
    said = about(archive) | {"fingerprint": fingerprint(forged)}
    save_file(dict(forged.tensors), archive, {"whisper-bento": "-"})
    rewrite(archive, json.dumps(said))

    with pytest.raises(CheckpointFormatError, match=r"tensor \S+ is missing"):
        open_source(archive)


def test_nothing_in_a_description_commands_a_terminal(tmp_path: Path) -> None:
    kept = checkpoint_dir.describe(checkpoint(tmp_path / "kept", source="a \x1b[31mred\nline"))
    export_archive(kept, tmp_path / "file")

    assert open_source(tmp_path / "file").description == "a ?[31mred?line"
