"""Tests of models/checkpoints/sources/openai.py."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import asdict, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import torch
from whisper import _ALIGNMENT_HEADS
from whisper.model import ModelDimensions, Whisper

from models.checkpoints.catalogue import CHECKPOINTS, Checkpoint
from models.checkpoints.durable_files import sha256_of
from models.checkpoints.sources.openai import official_alignment_heads, read_openai
from models.checkpoints.weights import fingerprint
from models.errors import CheckpointFormatError
from tests.checkpoint_files import write_openai
from tests.tiny import TINY, tiny_weights


class _Code:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_read_openai_gives_the_weights(tmp_path: Path, dtype: torch.dtype) -> None:
    path = write_openai(tiny_weights(), tmp_path / "tiny.pt", dtype)
    source = read_openai(path)
    assert source.weights.dims == TINY
    assert fingerprint(source.weights) == fingerprint(tiny_weights())
    assert source.sha256 == {"tiny.pt": sha256_of(path)}


def test_read_openai_never_runs_code(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    torch.save({"dims": {}, "model_state_dict": _Code(touched)}, tmp_path / "x.pt")
    with pytest.raises(CheckpointFormatError, match=r"x\.pt cannot be read"):
        read_openai(tmp_path / "x.pt")
    assert not touched.exists()


@pytest.mark.parametrize(
    "content", [b"", b"text", bytes(range(256)) * 40, pickle.dumps({"dims": {}})]
)
def test_read_openai_refuses_what_is_no_zip(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointFormatError, match=r"x\.pt is no PyTorch file"):
        read_openai(path)


def test_read_openai_refuses_a_truncated_file(tmp_path: Path) -> None:
    path = write_openai(tiny_weights(), tmp_path / "x.pt")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CheckpointFormatError, match=r"x\.pt"):
        read_openai(path)


def test_read_openai_refuses_another_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("x/data.txt", "text")
    with pytest.raises(CheckpointFormatError, match=r"x\.pt cannot be read"):
        read_openai(tmp_path / "x.pt")


@pytest.mark.parametrize(
    "content",
    [
        [1],
        {"dims": asdict(TINY)},
        {"dims": 3, "model_state_dict": {}},
        {"model_state_dict": {}},
        {"dims": asdict(TINY), "model_state_dict": {}},
        {"dims": asdict(TINY), "model_state_dict": {"decoder.ln.bias": 3}},
    ],
)
def test_read_openai_refuses_other_content(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(CheckpointFormatError):
        read_openai(tmp_path / "x.pt")


@pytest.mark.parametrize("checkpoint", CHECKPOINTS, ids=attrgetter("name"))
def test_official_alignment_heads_are_those_openai_whisper_sets(checkpoint: Checkpoint) -> None:
    dims = replace(checkpoint.dims, n_audio_layer=1)
    width = 2 * dims.n_audio_head
    model = Whisper(
        ModelDimensions(**asdict(replace(dims, n_audio_state=width, n_text_state=width)))
    )
    model.set_alignment_heads(_ALIGNMENT_HEADS[checkpoint.name])
    heads: torch.Tensor = model.get_buffer("alignment_heads")
    theirs = heads.indices().T.tolist()
    assert [list(pair) for pair in official_alignment_heads(checkpoint)] == theirs
