"""faster-whisper's CTranslate2 directories: `model.bin` and `config.json`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch

from models.checkpoints.catalogue import Dimensions
from models.checkpoints.durable_files import sha256_of
from models.checkpoints.sources.heads import usable_heads
from models.checkpoints.sources.json_file import read_json_object
from models.checkpoints.sources.model_bin import read_model_bin
from models.checkpoints.sources.source import Source
from models.checkpoints.weights import build_weights
from models.errors import CheckpointFormatError

_WHOLE = {
    "encoder/position_encodings/encodings": "encoder.positional_embedding",
    "decoder/position_encodings/encodings": "decoder.positional_embedding",
    "decoder/embeddings/weight": "decoder.token_embedding.weight",
}
_SCOPES = {
    "encoder/conv1": "encoder.conv1",
    "encoder/conv2": "encoder.conv2",
    "encoder/layer_norm": "encoder.ln_post",
    "decoder/layer_norm": "decoder.ln",
}
# What is stacked in one variable, in its order.
_LAYER_SCOPES = {
    "self_attention/linear_0": ("attn.query", "attn.key", "attn.value"),
    "self_attention/linear_1": ("attn.out",),
    "self_attention/layer_norm": ("attn_ln",),
    "attention/linear_0": ("cross_attn.query",),
    "attention/linear_1": ("cross_attn.key", "cross_attn.value"),
    "attention/linear_2": ("cross_attn.out",),
    "attention/layer_norm": ("cross_attn_ln",),
    "ffn/linear_0": ("mlp.0",),
    "ffn/linear_1": ("mlp.2",),
    "ffn/layer_norm": ("mlp_ln",),
}
_LEAVES = {"weight": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}
_LAYER = re.compile(r"(encoder|decoder)/layer_(\d{1,3})/(.+)")
_PROJECTION = "decoder/projection/weight"
_EMBEDDINGS = "decoder/embeddings/weight"


def read_ctranslate2(directory: Path) -> Source:
    """Read an unquantised (float16 or float32) conversion of a Whisper checkpoint.

    Raises:
        CheckpointFormatError: a file is missing, cut off, quantised or of another format.
    """
    model, config_file = directory / "model.bin", directory / "config.json"
    heads = read_json_object(config_file).get("alignment_heads")
    variables = read_model_bin(model)
    dims = _dimensions(variables)
    weights = build_weights(
        dims,
        _state_dict(variables),
        usable_heads(dims, heads),
    )
    sha256 = {path.name: sha256_of(path) for path in (model, config_file)}
    return Source(weights, f"CTranslate2 directory {directory.resolve().name}", sha256)


def _dimensions(variables: Mapping[str, torch.Tensor]) -> Dimensions:
    n_audio_state, n_mels, _ = _shape(variables, "encoder/conv1/weight", 3)
    n_audio_ctx, _ = _shape(variables, "encoder/position_encodings/encodings", 2)
    n_text_ctx, n_text_state = _shape(variables, "decoder/position_encodings/encodings", 2)
    n_vocab, _ = _shape(variables, _EMBEDDINGS, 2)
    return Dimensions(
        n_mels=n_mels,
        n_audio_ctx=n_audio_ctx,
        n_audio_state=n_audio_state,
        n_audio_head=_number(variables, "encoder/num_heads"),
        n_audio_layer=_layers(variables, "encoder"),
        n_vocab=n_vocab,
        n_text_ctx=n_text_ctx,
        n_text_state=n_text_state,
        n_text_head=_number(variables, "decoder/num_heads"),
        n_text_layer=_layers(variables, "decoder"),
    )


def _shape(variables: Mapping[str, torch.Tensor], name: str, rank: int) -> tuple[int, ...]:
    if name not in variables or variables[name].dim() != rank:
        raise CheckpointFormatError(f"model.bin has no {name} of {rank} dimensions")
    return tuple(variables[name].shape)


def _number(variables: Mapping[str, torch.Tensor], name: str) -> int:
    if name not in variables or variables[name].dim():
        raise CheckpointFormatError(f"model.bin has no number {name}")
    return int(variables[name].item())


def _layers(variables: Mapping[str, torch.Tensor], side: str) -> int:
    matches = (_LAYER.fullmatch(name) for name in variables)
    return len({match[2] for match in matches if match and match[1] == side})


def _state_dict(variables: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The variables under openai-whisper's names, stacked ones taken apart."""
    state: dict[str, torch.Tensor] = {}
    for name, tensor in variables.items():
        if not tensor.dim():  # settings that follow from being a Whisper
            continue
        _check_not_quantised(name, tensor)
        if name == _PROJECTION:
            if not torch.equal(tensor, variables[_EMBEDDINGS]):
                raise CheckpointFormatError(f"model.bin: {name} is not the token embedding")
            continue
        targets = _targets(name)
        if tensor.shape[0] % len(targets):
            raise CheckpointFormatError(f"model.bin: {name} does not hold {len(targets)} parts")
        for target, part in zip(targets, tensor.chunk(len(targets)), strict=True):
            if not target.endswith(".key.bias"):
                state[target] = part
            elif part.any():
                raise CheckpointFormatError(f"model.bin: {name} has a key bias; Whisper has none")
    return state


def _check_not_quantised(name: str, tensor: torch.Tensor) -> None:
    if tensor.dtype not in (torch.float16, torch.float32):
        kind = str(tensor.dtype).removeprefix("torch.")
        raise CheckpointFormatError(
            f"model.bin: {name} is {kind}; only float16 and float32 conversions can be imported"
        )


def _targets(name: str) -> list[str]:
    if name in _WHOLE:
        return [_WHOLE[name]]
    scope, _, leaf = name.rpartition("/")
    if leaf in _LEAVES:
        if scope in _SCOPES:
            return [f"{_SCOPES[scope]}.{_LEAVES[leaf]}"]
        layer = _LAYER.fullmatch(scope)
        if layer and layer[3] in _LAYER_SCOPES:
            block = f"{layer[1]}.blocks.{int(layer[2])}"
            return [f"{block}.{part}.{_LEAVES[leaf]}" for part in _LAYER_SCOPES[layer[3]]]
    raise CheckpointFormatError(f"model.bin: {name} is unexpected in a Whisper model")
