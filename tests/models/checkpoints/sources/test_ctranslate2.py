"""Tests of ctranslate2.py and model_bin.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.checkpoints.durable_files import sha256_of
from models.checkpoints.sources.ctranslate2 import read_ctranslate2
from models.checkpoints.sources.model_bin import read_model_bin
from models.checkpoints.weights import default_alignment_heads, fingerprint
from models.errors import CheckpointFormatError
from tests.checkpoint_files import ctranslate2_variables, model_bin, write_ctranslate2
from tests.tiny import TINY, tiny_weights

_QKV = "decoder/layer_0/self_attention/linear_0"
_SMALL = {"a": torch.arange(3, dtype=torch.float16), "b": torch.tensor(5, dtype=torch.int16)}


def _directory(tmp_path: Path, **changes: torch.Tensor | None) -> Path:
    """A tiny directory with some variables changed, or taken out (None)."""
    directory = write_ctranslate2(tiny_weights(), tmp_path / "ct2")
    variables = {**ctranslate2_variables(tiny_weights(), torch.float16), **changes}
    kept = {name: tensor for name, tensor in variables.items() if tensor is not None}
    (directory / "model.bin").write_bytes(model_bin(kept, {}))
    return directory


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_read_ctranslate2_gives_the_weights(tmp_path: Path, dtype: torch.dtype) -> None:
    weights = tiny_weights(n_text_layer=2, n_audio_layer=3)
    directory = write_ctranslate2(weights, tmp_path / "ct2", dtype)
    source = read_ctranslate2(directory)
    assert source.weights.dims == weights.dims
    assert fingerprint(source.weights) == fingerprint(weights)
    assert source.weights.alignment_heads == weights.alignment_heads
    assert source.sha256 == {
        name: sha256_of(directory / name) for name in ("model.bin", "config.json")
    }


def test_read_ctranslate2_without_heads_takes_the_default(tmp_path: Path) -> None:
    directory = write_ctranslate2(tiny_weights(), tmp_path / "ct2")
    (directory / "config.json").write_text("{}")
    heads = read_ctranslate2(directory).weights.alignment_heads
    assert heads == default_alignment_heads(TINY)


def test_read_ctranslate2_takes_the_default_for_heads_that_are_not_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = write_ctranslate2(tiny_weights(), tmp_path / "ct2")
    (directory / "config.json").write_text(json.dumps({"alignment_heads": [[7, 0]]}))
    heads = read_ctranslate2(directory).weights.alignment_heads
    assert heads == default_alignment_heads(TINY)
    assert "[7, 0] is no [layer, head] of this decoder" in caplog.text


def test_read_ctranslate2_refuses_a_key_bias(tmp_path: Path) -> None:
    bias = torch.zeros(96, dtype=torch.float16)
    bias[40] = 0.1
    directory = _directory(tmp_path, **{f"{_QKV}/bias": bias})
    with pytest.raises(CheckpointFormatError, match=rf"{_QKV}/bias has a key bias"):
        read_ctranslate2(directory)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int16])
def test_read_ctranslate2_refuses_quantised_weights(tmp_path: Path, dtype: torch.dtype) -> None:
    directory = _directory(tmp_path, **{f"{_QKV}/weight": torch.zeros(96, 32, dtype=dtype)})
    kind = str(dtype).removeprefix("torch.")
    with pytest.raises(CheckpointFormatError, match=f"is {kind}; only float16 and float32"):
        read_ctranslate2(directory)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"encoder/num_heads": None}, "no number encoder/num_heads"),
        ({"encoder/conv1/weight": None}, "no encoder/conv1/weight"),
        ({f"{_QKV}/bias": None}, r"decoder\.blocks\.0\.attn\.query\.bias is missing"),
        ({f"{_QKV}/weight": torch.zeros(97, 32).half()}, "does not hold 3 parts"),
        ({"decoder/adapter/weight": torch.zeros(1).half()}, "decoder/adapter/weight is unexpected"),
        ({"decoder/projection/weight": torch.zeros(2, 2).half()}, "is not the token embedding"),
    ],
)
def test_read_ctranslate2_refuses_other_variables(
    tmp_path: Path, changes: Mapping[str, torch.Tensor | None], reason: str
) -> None:
    with pytest.raises(CheckpointFormatError, match=reason):
        read_ctranslate2(_directory(tmp_path, **changes))


def test_read_ctranslate2_names_a_missing_config(tmp_path: Path) -> None:
    directory = write_ctranslate2(tiny_weights(), tmp_path / "ct2")
    (directory / "config.json").unlink()
    with pytest.raises(CheckpointFormatError, match=r"config\.json is missing"):
        read_ctranslate2(directory)


def test_read_model_bin_resolves_aliases(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(model_bin(_SMALL, {"c": "a"}))
    variables = read_model_bin(path)
    assert torch.equal(variables["c"], _SMALL["a"])
    assert variables["b"].item() == 5


def test_read_model_bin_refuses_an_alias_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(model_bin(_SMALL, {"c": "d"}))
    with pytest.raises(CheckpointFormatError, match=r"model\.bin: c stands for unknown d"):
        read_model_bin(path)


def test_read_model_bin_refuses_every_truncation(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    whole = model_bin(_SMALL, {"c": "a"})
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(CheckpointFormatError, match=r"model\.bin is (empty|cut off)"):
            read_model_bin(path)


def test_read_model_bin_refuses_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(model_bin(_SMALL, {}) + b"x")
    with pytest.raises(CheckpointFormatError, match=r"model\.bin goes on after its end"):
        read_model_bin(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x05\0\0\0", "version 6"),
        (b"\x06\0\0\0\x02\0A\0", "holds a 'A'"),
        (b"PK\x03\x04" + bytes(100), "version 6"),
    ],
)
def test_read_model_bin_refuses_another_format(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(CheckpointFormatError, match=reason):
        read_model_bin(path)


@settings(max_examples=300)
@given(position=st.integers(0, 200), value=st.integers(0, 255))
def test_read_model_bin_survives_any_changed_byte(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "model.bin"
    content = bytearray(model_bin(_SMALL, {"c": "a"}))
    content[position % len(content)] = value
    path.write_bytes(content)
    try:
        variables = read_model_bin(path)
    except CheckpointFormatError:
        return
    assert len(variables) >= 2
