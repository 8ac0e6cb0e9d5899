"""What this CPU, and PyTorch on it, can multiply."""

from __future__ import annotations

import torch


def multiplies_bfloat16() -> bool:
    """Whether this CPU has instructions for bfloat16 products; without, they are emulated."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()  # noqa: SLF001


def multiplies_int8() -> bool:
    """Whether this CPU has instructions for sums of int8 products in 32 bits."""
    return torch.cpu._is_vnni_supported() or torch.cpu._is_amx_tile_supported()  # noqa: SLF001


def has_int8_linear() -> bool:
    """Whether PyTorch's int8 GEMM (FBGEMM) knows this CPU."""
    return "fbgemm" in torch.backends.quantized.supported_engines


def has_bfloat16_linear() -> bool:
    """Whether PyTorch's bfloat16 GEMM (oneDNN) knows this CPU."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001
