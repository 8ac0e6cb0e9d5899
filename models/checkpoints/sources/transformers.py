"""Hugging Face transformers' Whisper directories: `config.json` and safetensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from models.checkpoints.catalogue import AlignmentHeads, Dimensions
from models.checkpoints.durable_files import sha256_of
from models.checkpoints.safetensors_file import read_tensors
from models.checkpoints.sources.heads import usable_heads
from models.checkpoints.sources.json_file import read_json_object
from models.checkpoints.sources.source import Source
from models.checkpoints.weights import build_weights, dimensions_from
from models.errors import CheckpointFormatError

SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
_GENERATION_FILE = "generation_config.json"
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")

# transformers' configuration key of each size (transformers, `WhisperConfig`).
_SIZES = {
    "n_mels": "num_mel_bins",
    "n_audio_ctx": "max_source_positions",
    "n_audio_state": "d_model",
    "n_audio_head": "encoder_attention_heads",
    "n_audio_layer": "encoder_layers",
    "n_vocab": "vocab_size",
    "n_text_ctx": "max_target_positions",
    "n_text_state": "d_model",
    "n_text_head": "decoder_attention_heads",
    "n_text_layer": "decoder_layers",
}
_MODULES = {
    "encoder.conv1": "encoder.conv1",
    "encoder.conv2": "encoder.conv2",
    "encoder.layer_norm": "encoder.ln_post",
    "decoder.layer_norm": "decoder.ln",
    "decoder.embed_tokens": "decoder.token_embedding",
}
_LAYER_MODULES = {
    "self_attn.q_proj": "attn.query",
    "self_attn.k_proj": "attn.key",
    "self_attn.v_proj": "attn.value",
    "self_attn.out_proj": "attn.out",
    "self_attn_layer_norm": "attn_ln",
    "encoder_attn.q_proj": "cross_attn.query",
    "encoder_attn.k_proj": "cross_attn.key",
    "encoder_attn.v_proj": "cross_attn.value",
    "encoder_attn.out_proj": "cross_attn.out",
    "encoder_attn_layer_norm": "cross_attn_ln",
    "fc1": "mlp.0",
    "fc2": "mlp.2",
    "final_layer_norm": "mlp_ln",
}
_LAYER = re.compile(r"(encoder|decoder)\.layers\.(\d{1,3})\.(.+)")
_POSITIONS = re.compile(r"(encoder|decoder)\.embed_positions\.weight")
_PROJECTION = "proj_out.weight"
_EMBEDDING = "decoder.token_embedding.weight"


def read_transformers(directory: Path) -> Source:
    """Read a Whisper directory as `save_pretrained` writes it, in one file or in shards.

    Raises:
        CheckpointFormatError: a file is missing or damaged, or it is no Whisper model.
    """
    config = read_json_object(directory / "config.json")
    if config.get("model_type") != "whisper":
        raise CheckpointFormatError(
            f"config.json describes a model of type {config.get('model_type')!r}, not 'whisper'"
        )
    dims = dimensions_from({size: config.get(key) for size, key in _SIZES.items()}, "config.json")
    paths = _tensor_files(directory)
    weights = build_weights(dims, _state_dict(paths), _alignment_heads(directory, dims))
    sha256 = {path.name: sha256_of(path) for path in (directory / "config.json", *paths)}
    return Source(weights, f"Hugging Face directory {directory.resolve().name}", sha256)


def _tensor_files(directory: Path) -> list[Path]:
    if (directory / SINGLE_FILE).is_file():
        return [directory / SINGLE_FILE]
    if (directory / INDEX_FILE).is_file():
        return _shards(directory, read_json_object(directory / INDEX_FILE).get("weight_map"))
    for name in _PICKLES:
        if (directory / name).exists():
            raise CheckpointFormatError(
                f"{name} is a pickle, which can run code and is not read; save the model as "
                "safetensors (model.save_pretrained(directory, safe_serialization=True))"
            )
    raise CheckpointFormatError(f"neither {SINGLE_FILE} nor {INDEX_FILE} is there")


def _shards(directory: Path, weight_map: object) -> list[Path]:
    names = set(weight_map.values()) if isinstance(weight_map, dict) else set()
    paths = []
    for name in sorted(map(str, names)):
        if Path(name).name != name or not (directory / name).is_file():
            raise CheckpointFormatError(f"{INDEX_FILE} names {name}, which is not there")
        paths.append(directory / name)
    if not paths:
        raise CheckpointFormatError(f"{INDEX_FILE} names no files")
    return paths


def _alignment_heads(directory: Path, dims: Dimensions) -> AlignmentHeads | None:
    if not (directory / _GENERATION_FILE).is_file():
        return None
    return usable_heads(dims, read_json_object(directory / _GENERATION_FILE).get("alignment_heads"))


def _state_dict(paths: list[Path]) -> dict[str, torch.Tensor]:
    """The tensors of all files under openai-whisper's names."""
    state: dict[str, torch.Tensor] = {}
    projection = None
    for path in paths:
        for name, tensor in read_tensors(path).items():
            if name == _PROJECTION:
                projection = tensor
            else:
                state[_target(name)] = tensor
    _check_tied(projection, state)
    return state


def _check_tied(projection: torch.Tensor | None, state: Mapping[str, Any]) -> None:
    if projection is None or _EMBEDDING not in state:
        return
    if not torch.equal(projection, state[_EMBEDDING]):
        raise CheckpointFormatError(f"{_PROJECTION} is not the token embedding, as in Whisper")


def _target(name: str) -> str:
    bare = name.removeprefix("model.")
    positions = _POSITIONS.fullmatch(bare)
    if positions:
        return f"{positions[1]}.positional_embedding"
    module, _, leaf = bare.rpartition(".")
    if module in _MODULES:
        return f"{_MODULES[module]}.{leaf}"
    layer = _LAYER.fullmatch(module)
    if layer and layer[3] in _LAYER_MODULES:
        return f"{layer[1]}.blocks.{int(layer[2])}.{_LAYER_MODULES[layer[3]]}.{leaf}"
    raise CheckpointFormatError(f"tensor {name} is unexpected in a Whisper model")
