"""Weights as the CTranslate2 directory that faster-whisper reads."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import torch
from whisper.model import sinusoids

from models.checkpoints.catalogue import Dimensions
from models.checkpoints.weights import Weights, tensor_bytes
from models.engine.decoding.vocabulary import Vocabulary
from scripts.bench.peer_files.tokenizer_file import tokenizer_json, vocabulary_json

_VERSION, _REVISION, _SPECIFICATION = 6, 3, "WhisperSpec"
_TYPES = {torch.float32: 0, torch.int8: 1, torch.int16: 2, torch.int32: 3, torch.float16: 4}
_GELU = 3


def write_ctranslate2(
    weights: Weights, directory: Path, dtype: torch.dtype = torch.float16
) -> Path:
    """A directory as CTranslate2's converter and faster-whisper's tokenizer make it.

    `directory` must not exist. CTranslate2 quantises when it loads, so that float16 serves int8.
    """
    directory.mkdir()
    files = {
        "config.json": json.dumps(_config(weights)),
        "vocabulary.json": vocabulary_json(weights.dims),
        "tokenizer.json": tokenizer_json(weights.dims),
    }
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    variables = {**ctranslate2_variables(weights, dtype), **_settings()}
    aliases = {"decoder/projection/weight": "decoder/embeddings/weight"}
    with (directory / "model.bin").open("wb") as out:
        write_model_bin(out, variables, aliases)
    return directory


def ctranslate2_variables(weights: Weights, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """The variables of a `model.bin`: Q, K and V stacked, K with a bias of zeros."""
    tensors, dims = weights.tensors, weights.dims
    variables = {
        "encoder/num_heads": torch.tensor(dims.n_audio_head, dtype=torch.int16),
        "decoder/num_heads": torch.tensor(dims.n_text_head, dtype=torch.int16),
        "encoder/position_encodings/encodings": positions(dims).to(dtype),
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


def write_model_bin(
    out: BinaryIO, variables: Mapping[str, torch.Tensor], aliases: Mapping[str, str]
) -> None:
    """CTranslate2's binary format, version 6."""
    out.write(struct.pack("<I", _VERSION) + _string(_SPECIFICATION))
    out.write(struct.pack("<II", _REVISION, len(variables)))
    for name, tensor in sorted(variables.items()):
        data = tensor_bytes(tensor.contiguous())
        out.write(_string(name) + struct.pack(f"<B{tensor.dim()}I", tensor.dim(), *tensor.shape))
        out.write(struct.pack("<BI", _TYPES[tensor.dtype], len(data)) + data)
    out.write(struct.pack("<I", len(aliases)))
    for alias, target in aliases.items():
        out.write(_string(alias) + _string(target))


def positions(dims: Dimensions) -> torch.Tensor:
    """The encoder's sinusoids, [n_audio_ctx, n_audio_state]."""
    table: torch.Tensor = sinusoids(dims.n_audio_ctx, dims.n_audio_state)  # type: ignore[no-untyped-call]
    return table


def _settings() -> dict[str, torch.Tensor]:
    """CTranslate2's flags of the architecture, beside its sizes."""
    values = {
        "activation": _GELU,
        "alibi": 0,
        "pre_norm": 1,
        "scale_embeddings": 0,
        "start_from_zero_embedding": 0,
    }
    settings = {f"decoder/{name}": torch.tensor(v, dtype=torch.int8) for name, v in values.items()}
    settings["decoder/alignment_heads"] = torch.tensor(1, dtype=torch.int16)
    settings["decoder/alignment_layer"] = torch.tensor(-1, dtype=torch.int16)
    return settings


def _config(weights: Weights) -> dict[str, object]:
    vocabulary = Vocabulary(weights.dims)
    suppressed = [token for token in vocabulary.suppressed if token != vocabulary.no_timestamps]
    return {
        "alignment_heads": weights.alignment_heads,
        "lang_ids": sorted(vocabulary.languages.values()),
        "suppress_ids": suppressed,
        "suppress_ids_begin": (*vocabulary.encode(" "), vocabulary.eot),
    }


def _string(text: str) -> bytes:
    data = text.encode() + b"\0"
    return struct.pack("<H", len(data)) + data
