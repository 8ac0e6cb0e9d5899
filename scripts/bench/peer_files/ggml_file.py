"""Weights as the ggml file that whisper.cpp reads."""

from __future__ import annotations

import struct
from pathlib import Path

import torch
from whisper.audio import mel_filters

from models.checkpoints.weights import Weights, tensor_bytes
from scripts.bench.peer_files.ctranslate2_files import positions
from scripts.bench.peer_files.tokenizer_file import ranks_and_specials

_MAGIC = 0x67676D6C
_FLOAT32, _FLOAT16 = 0, 1
_IN_FLOAT32 = ("encoder.positional_embedding", "decoder.positional_embedding")


def write_ggml(weights: Weights, path: Path) -> Path:
    """A float16 file as whisper.cpp's `models/convert-pt-to-ggml.py` lays it out."""
    dims = weights.dims
    sizes = (
        dims.n_vocab,
        dims.n_audio_ctx,
        dims.n_audio_state,
        dims.n_audio_head,
        dims.n_audio_layer,
        dims.n_text_ctx,
        dims.n_text_state,
        dims.n_text_head,
        dims.n_text_layer,
        dims.n_mels,
    )
    filters = mel_filters("cpu", dims.n_mels).float().contiguous()
    ranks, _ = ranks_and_specials(dims)
    tensors = {**weights.tensors, "encoder.positional_embedding": positions(dims)}
    with path.open("wb") as out:
        out.write(struct.pack("<I11i", _MAGIC, *sizes, _FLOAT16))
        out.write(struct.pack("<2i", *filters.shape) + tensor_bytes(filters))
        out.write(struct.pack("<i", len(ranks)))
        for token in sorted(ranks, key=lambda token: ranks[token]):
            out.write(struct.pack("<i", len(token)) + token)
        for name, tensor in tensors.items():
            out.write(_tensor(name, tensor))
    return path


def _tensor(name: str, tensor: torch.Tensor) -> bytes:
    if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        tensor = tensor[:, None]  # added to [channels, frames]
    narrow = tensor.dim() > 1 and name not in _IN_FLOAT32 and not name.endswith("bias")
    data = tensor.to(torch.float16 if narrow else torch.float32).contiguous()
    header = struct.pack("<3i", data.dim(), len(name), _FLOAT16 if narrow else _FLOAT32)
    header += struct.pack(f"<{data.dim()}i", *reversed(data.shape))
    return header + name.encode() + tensor_bytes(data)
