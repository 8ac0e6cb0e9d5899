"""Writes weights in the formats of others, for tests that read them back."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file
from whisper.model import sinusoids

from models.catalogue import Dimensions
from models.weights import Weights


def write_openai(weights: Weights, path: Path, dtype: torch.dtype = torch.float16) -> Path:
    """An openai-whisper `.pt`."""
    state = {name: tensor.to(dtype) for name, tensor in weights.tensors.items()}
    state["encoder.positional_embedding"] = _positions(weights.dims).to(dtype)
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
    tensors["model.encoder.embed_positions.weight"] = _positions(weights.dims).to(dtype)
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


def write_ctranslate2(
    weights: Weights, directory: Path, dtype: torch.dtype = torch.float16
) -> Path:
    """A CTranslate2 directory as faster-whisper's converter writes it."""
    directory.mkdir()
    config = {"alignment_heads": weights.alignment_heads}
    (directory / "config.json").write_text(json.dumps(config))
    variables = ctranslate2_variables(weights, dtype)
    aliases = {"decoder/projection/weight": "decoder/embeddings/weight"}
    (directory / "model.bin").write_bytes(model_bin(variables, aliases))
    return directory


def ctranslate2_variables(weights: Weights, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """The variables of a `model.bin`: Q, K and V stacked, K with a bias of zeros."""
    tensors, dims = weights.tensors, weights.dims
    variables = {
        "encoder/num_heads": torch.tensor(dims.n_audio_head, dtype=torch.int16),
        "decoder/num_heads": torch.tensor(dims.n_text_head, dtype=torch.int16),
        "encoder/position_encodings/encodings": _positions(dims).to(dtype),
        "decoder/position_encodings/encodings": tensors["decoder.positional_embedding"].to(dtype),
        "decoder/embeddings/weight": tensors["decoder.token_embedding.weight"].to(dtype),
    }

    def linear(target: str, *parts: str) -> None:
        matrices = [tensors[f"{part}.weight"] for part in parts]
        biases = [
            tensors.get(f"{part}.bias", torch.zeros(matrix.shape[0]))
            for part, matrix in zip(parts, matrices, strict=True)
        ]
        variables[f"{target}/weight"] = torch.cat([matrix.to(dtype) for matrix in matrices])
        variables[f"{target}/bias"] = torch.cat([bias.to(dtype) for bias in biases])

    def norm(target: str, part: str) -> None:
        variables[f"{target}/gamma"] = tensors[f"{part}.weight"].to(dtype)
        variables[f"{target}/beta"] = tensors[f"{part}.bias"].to(dtype)

    linear("encoder/conv1", "encoder.conv1")
    linear("encoder/conv2", "encoder.conv2")
    norm("encoder/layer_norm", "encoder.ln_post")
    norm("decoder/layer_norm", "decoder.ln")
    for side, layers in (("encoder", dims.n_audio_layer), ("decoder", dims.n_text_layer)):
        for number in range(layers):
            target, block = f"{side}/layer_{number}", f"{side}.blocks.{number}"
            own = [f"{block}.attn.{part}" for part in ("query", "key", "value")]
            linear(f"{target}/self_attention/linear_0", *own)
            linear(f"{target}/self_attention/linear_1", f"{block}.attn.out")
            norm(f"{target}/self_attention/layer_norm", f"{block}.attn_ln")
            linear(f"{target}/ffn/linear_0", f"{block}.mlp.0")
            linear(f"{target}/ffn/linear_1", f"{block}.mlp.2")
            norm(f"{target}/ffn/layer_norm", f"{block}.mlp_ln")
            if side == "decoder":
                cross = f"{block}.cross_attn"
                linear(f"{target}/attention/linear_0", f"{cross}.query")
                linear(f"{target}/attention/linear_1", f"{cross}.key", f"{cross}.value")
                linear(f"{target}/attention/linear_2", f"{cross}.out")
                norm(f"{target}/attention/layer_norm", f"{block}.cross_attn_ln")
    return variables


def model_bin(variables: Mapping[str, torch.Tensor], aliases: Mapping[str, str]) -> bytes:
    """CTranslate2's binary format, version 6."""
    types = {torch.float32: 0, torch.int8: 1, torch.int16: 2, torch.int32: 3, torch.float16: 4}
    content = struct.pack("<I", 6) + _string("WhisperSpec") + struct.pack("<I", 3)
    content += struct.pack("<I", len(variables))
    for name, tensor in sorted(variables.items()):
        data = tensor.contiguous().numpy().tobytes()
        content += _string(name) + struct.pack(f"<B{tensor.dim()}I", tensor.dim(), *tensor.shape)
        content += struct.pack("<BI", types[tensor.dtype], len(data)) + data
    content += struct.pack("<I", len(aliases))
    for alias, target in aliases.items():
        content += _string(alias) + _string(target)
    return content


def _string(text: str) -> bytes:
    data = text.encode() + b"\0"
    return struct.pack("<H", len(data)) + data


def _positions(dims: Dimensions) -> torch.Tensor:
    table: torch.Tensor = sinusoids(dims.n_audio_ctx, dims.n_audio_state)  # type: ignore[no-untyped-call]
    return table


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
