"""Tests of models/checkpoints/weights.py and models/checkpoints/safetensors_file.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from whisper.model import ModelDimensions, Whisper, sinusoids

from models.checkpoints.durable_files import durable_file, sha256_of
from models.checkpoints.safetensors_file import read_tensors, tensor_file_size, write_tensors
from models.checkpoints.weights import (
    build_weights,
    default_alignment_heads,
    dimensions_from,
    expected_shapes,
    fingerprint,
)
from models.errors import CheckpointFormatError
from tests.tiny import TINY, tiny_weights

_SINUSOIDS = "encoder.positional_embedding"
_BIAS = "decoder.ln.bias"


def _positions() -> torch.Tensor:
    table: torch.Tensor = sinusoids(1500, 32)  # type: ignore[no-untyped-call]
    return table


def test_expected_shapes_are_those_of_openai_whisper() -> None:
    model = Whisper(ModelDimensions(**vars(TINY)))
    theirs = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert theirs.pop(_SINUSOIDS) == (1500, 32)
    assert expected_shapes(TINY) == theirs


def test_default_alignment_heads_are_those_of_openai_whisper() -> None:
    dims = replace(TINY, n_text_layer=3)
    model = Whisper(ModelDimensions(**vars(dims)))
    heads: torch.Tensor = model.get_buffer("alignment_heads")
    theirs = heads.indices().T.tolist()
    assert [list(pair) for pair in default_alignment_heads(dims)] == theirs


def test_build_weights_is_the_same_from_half_and_single_precision() -> None:
    half = tiny_weights()
    single = build_weights(TINY, {name: t.float() for name, t in half.tensors.items()})
    assert fingerprint(single) == fingerprint(half)
    assert {tensor.dtype for tensor in single.tensors.values()} == {torch.float16}


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(0.5, torch.float16), (1e30, torch.float32), (2.0**60, torch.bfloat16), (0.1, torch.float32)],
)
def test_build_weights_takes_the_narrowest_exact_type(value: float, dtype: torch.dtype) -> None:
    tensors = dict(tiny_weights().tensors)
    tensors[_BIAS] = torch.full((32,), value)
    weights = build_weights(TINY, tensors)
    assert weights.tensors[_BIAS].dtype == dtype
    assert torch.equal(weights.tensors[_BIAS].float(), torch.full((32,), value))


def test_fingerprint_differs_with_one_value_and_with_the_heads_of_a_layer() -> None:
    weights = tiny_weights()
    tensors = dict(weights.tensors)
    tensors[_BIAS] = tensors[_BIAS].clone()
    tensors[_BIAS][0] += 1
    assert fingerprint(build_weights(TINY, tensors)) != fingerprint(weights)
    other_heads = replace(TINY, n_text_head=4)
    assert fingerprint(build_weights(other_heads, weights.tensors)) != fingerprint(weights)


def test_fingerprint_ignores_alignment_heads() -> None:
    weights = tiny_weights()
    assert fingerprint(replace(weights, alignment_heads=((0, 1),))) == fingerprint(weights)


def test_build_weights_drops_sinusoids_and_mask() -> None:
    given = dict(tiny_weights().tensors)
    given[_SINUSOIDS] = _positions().half()
    given["decoder.mask"] = torch.zeros(448, 448)
    assert set(build_weights(TINY, given).tensors) == set(expected_shapes(TINY))


def test_build_weights_refuses_other_positions() -> None:
    given = dict(tiny_weights().tensors)
    given[_SINUSOIDS] = _positions() + 0.01
    with pytest.raises(CheckpointFormatError, match=r"positional_embedding is not .* 0\.01"):
        build_weights(TINY, given)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_build_weights_refuses_what_is_not_finite(value: float) -> None:
    tensors = dict(tiny_weights().tensors)
    tensors[_BIAS] = torch.full((32,), value)
    with pytest.raises(CheckpointFormatError, match=rf"{_BIAS} .* not finite"):
        build_weights(TINY, tensors)


def test_build_weights_names_a_missing_tensor() -> None:
    tensors = dict(tiny_weights().tensors)
    del tensors["encoder.blocks.0.mlp.2.bias"]
    with pytest.raises(CheckpointFormatError, match=r"encoder\.blocks\.0\.mlp\.2\.bias is missing"):
        build_weights(TINY, tensors)


def test_build_weights_names_an_unexpected_tensor() -> None:
    tensors = {**tiny_weights().tensors, "adapter.weight": torch.zeros(1)}
    with pytest.raises(CheckpointFormatError, match=r"adapter\.weight is unexpected"):
        build_weights(TINY, tensors)


def test_build_weights_names_a_tensor_of_another_shape() -> None:
    tensors = {**tiny_weights().tensors, _BIAS: torch.zeros(31)}
    with pytest.raises(CheckpointFormatError, match=rf"{_BIAS} has shape \[31\], .* \[32\]"):
        build_weights(TINY, tensors)


def test_build_weights_refuses_integers() -> None:
    tensors = {**tiny_weights().tensors, _BIAS: torch.zeros(32, dtype=torch.int8)}
    with pytest.raises(CheckpointFormatError, match=rf"{_BIAS} is int8"):
        build_weights(TINY, tensors)


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"n_vocab": 51867}, "n_vocab = 51867 is none"),
        ({"n_mels": 81}, "n_mels = 81"),
        ({"n_audio_layer": 10**9}, "n_audio_layer"),
        ({"n_text_layer": 0}, "n_text_layer = 0"),
        ({"n_text_head": 3}, "cannot be split into 3 heads"),
        ({"n_text_state": 64}, "differ"),
    ],
)
def test_build_weights_refuses_dimensions(sizes: dict[str, int], reason: str) -> None:
    with pytest.raises(CheckpointFormatError, match=reason):
        build_weights(replace(TINY, **sizes), tiny_weights().tensors)


@pytest.mark.parametrize("heads", [[], "all", [[0]], [[1, 0]], [[0, 2]], [[0, "1"]], [[0, -1]]])
def test_build_weights_refuses_alignment_heads(heads: object) -> None:
    with pytest.raises(CheckpointFormatError, match="alignment_heads"):
        build_weights(TINY, tiny_weights().tensors, heads)  # type: ignore[arg-type]


def test_dimensions_from_refuses_what_is_no_integer() -> None:
    with pytest.raises(CheckpointFormatError, match=r"x\.json: n_mels must be an integer"):
        dimensions_from({**vars(TINY), "n_mels": "80"}, "x.json")
    with pytest.raises(CheckpointFormatError, match="must be exactly n_mels"):
        dimensions_from({"n_mels": 80}, "x.json")


def test_write_tensors_is_read_by_the_safetensors_library(tmp_path: Path) -> None:
    tensors = dict(tiny_weights().tensors)
    tensors["a"] = torch.tensor([2.0**60], dtype=torch.bfloat16)
    tensors["b"] = torch.tensor([0.1])
    path = tmp_path / "model.safetensors"
    with durable_file(path) as out:
        write_tensors(tensors, out)
    assert path.stat().st_size == tensor_file_size(tensors)
    assert sha256_of(path) == out.sha256
    again = read_tensors(path)
    assert again.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert again[name].dtype == tensor.dtype
        assert torch.equal(again[name], tensor)


@pytest.mark.parametrize("content", [b"", b"\x08", b"\xff" * 64, b"\x02" + bytes(7) + b"{}" + b"x"])
def test_read_tensors_refuses_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointFormatError, match=r"model\.safetensors is not a sound"):
        read_tensors(path)
