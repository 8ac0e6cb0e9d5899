"""Tests of models/checkpoints/sources/transformers.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.checkpoints.sources.transformers import read_transformers
from models.checkpoints.weights import default_alignment_heads, fingerprint
from models.errors import CheckpointFormatError
from tests.checkpoint_files import write_transformers
from tests.tiny import TINY, tiny_weights


def _edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _edit_tensors(directory: Path, **changes: torch.Tensor) -> None:
    path = directory / "model.safetensors"
    save_file({**load_file(path), **changes}, path)


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_read_transformers_gives_the_weights(
    tmp_path: Path, dtype: torch.dtype, shards: int
) -> None:
    weights = tiny_weights(n_text_layer=2, n_audio_layer=2)
    directory = write_transformers(weights, tmp_path / "hf", dtype, shards)
    source = read_transformers(directory)
    assert source.weights.dims == weights.dims
    assert fingerprint(source.weights) == fingerprint(weights)
    assert source.weights.alignment_heads == weights.alignment_heads
    assert len(source.sha256) == 1 + shards


def test_read_transformers_takes_the_generation_configs_heads(tmp_path: Path) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "hf")
    _edit(directory / "generation_config.json", alignment_heads=[[0, 1]])
    assert read_transformers(directory).weights.alignment_heads == ((0, 1),)


@pytest.mark.parametrize("heads", [[[0, 1], [7, 0]], [], "all"])
def test_read_transformers_takes_the_default_for_the_heads_of_another_decoder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, heads: object
) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "hf")
    _edit(directory / "generation_config.json", alignment_heads=heads)
    found = read_transformers(directory).weights.alignment_heads
    assert found == default_alignment_heads(TINY)
    assert "words get their times from the default heads" in caplog.text


@pytest.mark.parametrize("keep", [True, False])
def test_read_transformers_without_heads_takes_the_default(tmp_path: Path, keep: bool) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "hf")
    if keep:
        _edit(directory / "generation_config.json", alignment_heads=None)
    else:
        (directory / "generation_config.json").unlink()
    heads = read_transformers(directory).weights.alignment_heads
    assert heads == default_alignment_heads(TINY)


def test_read_transformers_takes_a_tied_projection(tmp_path: Path) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "hf")
    embedding = tiny_weights().tensors["decoder.token_embedding.weight"].float()
    _edit_tensors(directory, **{"proj_out.weight": embedding})
    assert fingerprint(read_transformers(directory).weights) == fingerprint(tiny_weights())
    _edit_tensors(directory, **{"proj_out.weight": embedding + 1})
    with pytest.raises(CheckpointFormatError, match=r"proj_out\.weight is not the token embedding"):
        read_transformers(directory)


def test_read_transformers_takes_names_without_model(tmp_path: Path) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "hf")
    path = directory / "model.safetensors"
    save_file({name.removeprefix("model."): t for name, t in load_file(path).items()}, path)
    assert fingerprint(read_transformers(directory).weights) == fingerprint(tiny_weights())


def test_read_transformers_refuses_an_unexpected_tensor(tmp_path: Path) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "hf")
    _edit_tensors(directory, **{"model.encoder.layers.0.lora_A.weight": torch.zeros(1)})
    with pytest.raises(CheckpointFormatError, match=r"lora_A\.weight is unexpected"):
        read_transformers(directory)


def test_read_transformers_refuses_a_pickle_with_a_hint(tmp_path: Path) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "hf")
    (directory / "model.safetensors").rename(directory / "pytorch_model.bin")
    with pytest.raises(CheckpointFormatError, match=r"pytorch_model\.bin is a pickle.*safetensors"):
        read_transformers(directory)


def test_read_transformers_refuses_another_model(tmp_path: Path) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "hf")
    _edit(directory / "config.json", model_type="bert")
    with pytest.raises(CheckpointFormatError, match="'bert', not 'whisper'"):
        read_transformers(directory)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"model_type": "whisper"}'])
def test_read_transformers_refuses_a_damaged_config(tmp_path: Path, content: str) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "hf")
    (directory / "config.json").write_text(content)
    with pytest.raises(CheckpointFormatError, match=r"config\.json"):
        read_transformers(directory)


def test_read_transformers_names_a_missing_shard(tmp_path: Path) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "hf", shards=2)
    (directory / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointFormatError, match="names model-00002-of-00002"):
        read_transformers(directory)


def test_read_transformers_refuses_shards_elsewhere(tmp_path: Path) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "hf", shards=2)
    (tmp_path / "x.safetensors").touch()
    _edit(directory / "model.safetensors.index.json", weight_map={"a": "../x.safetensors"})
    with pytest.raises(CheckpointFormatError, match="which is not there"):
        read_transformers(directory)


def test_read_transformers_refuses_a_truncated_file(tmp_path: Path) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "hf")
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointFormatError, match=r"model\.safetensors is not a sound"):
        read_transformers(directory)
