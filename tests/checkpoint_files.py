"""Writes weights in the formats of others, for tests that read them back."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file

from models.checkpoints.catalogue import Dimensions
from models.checkpoints.weights import Weights
from scripts.bench.peer_files.ctranslate2_files import (
    ctranslate2_variables as ctranslate2_variables,
)
from scripts.bench.peer_files.ctranslate2_files import positions, write_model_bin
from scripts.bench.peer_files.ctranslate2_files import write_ctranslate2 as write_ctranslate2


def write_openai(weights: Weights, path: Path, dtype: torch.dtype = torch.float16) -> Path:
    """An openai-whisper `.pt`."""
    state = {name: tensor.to(dtype) for name, tensor in weights.tensors.items()}
    state["encoder.positional_embedding"] = positions(weights.dims).to(dtype)
    torch.save({"dims": asdict(weights.dims), "model_state_dict": state}, path)
    return path


def write_transformers(
    weights: Weights, directory: Path, dtype: torch.dtype = torch.float32, shards: int = 1
) -> Path:
    """A Hugging Face directory as `WhisperForConditionalGeneration.save_pretrained` writes it."""
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps(_transformers_config(weights.dims)))
    heads = {"alignment_heads": weights.alignment_heads}
    (directory / "generation_config.json").write_text(json.dumps(heads))
    tensors = {
        f"model.{transformers_name(name)}": tensor.to(dtype).contiguous()
        for name, tensor in weights.tensors.items()
    }
    tensors["model.encoder.embed_positions.weight"] = positions(weights.dims).to(dtype)
    if shards == 1:
        save_file(tensors, directory / "model.safetensors")
        return directory
    weight_map: dict[str, str] = {}
    for number in range(shards):
        file = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        names = sorted(tensors)[number::shards]
        save_file({name: tensors[name] for name in names}, directory / file)
        weight_map |= dict.fromkeys(names, file)
    index = {"metadata": {}, "weight_map": weight_map}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))
    return directory


def transformers_name(name: str) -> str:
    """What transformers calls a tensor of openai-whisper's (its conversion script's table)."""
    for ours, theirs in (
        ("blocks", "layers"),
        ("mlp.0", "fc1"),
        ("mlp.2", "fc2"),
        ("mlp_ln", "final_layer_norm"),
        ("cross_attn.query", "encoder_attn.q_proj"),
        ("cross_attn.key", "encoder_attn.k_proj"),
        ("cross_attn.value", "encoder_attn.v_proj"),
        ("cross_attn.out", "encoder_attn.out_proj"),
        ("cross_attn_ln", "encoder_attn_layer_norm"),
        (".attn.query", ".self_attn.q_proj"),
        (".attn.key", ".self_attn.k_proj"),
        (".attn.value", ".self_attn.v_proj"),
        (".attn.out", ".self_attn.out_proj"),
        (".attn_ln", ".self_attn_layer_norm"),
        ("decoder.ln.", "decoder.layer_norm."),
        ("encoder.ln_post.", "encoder.layer_norm."),
        ("token_embedding", "embed_tokens"),
        ("positional_embedding", "embed_positions.weight"),
    ):
        name = name.replace(ours, theirs)
    return name


def model_bin(variables: Mapping[str, torch.Tensor], aliases: Mapping[str, str]) -> bytes:
    """A `model.bin` in memory."""
    out = io.BytesIO()
    write_model_bin(out, variables, aliases)
    return out.getvalue()


def _transformers_config(dims: Dimensions) -> dict[str, object]:
    return {
        "model_type": "whisper",
        "num_mel_bins": dims.n_mels,
        "max_source_positions": dims.n_audio_ctx,
        "d_model": dims.n_audio_state,
        "encoder_attention_heads": dims.n_audio_head,
        "encoder_layers": dims.n_audio_layer,
        "vocab_size": dims.n_vocab,
        "max_target_positions": dims.n_text_ctx,
        "decoder_attention_heads": dims.n_text_head,
        "decoder_layers": dims.n_text_layer,
    }
