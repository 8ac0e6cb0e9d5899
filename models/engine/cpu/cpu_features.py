"""CPU features: the products that this CPU, and PyTorch on it, has instructions for."""

from __future__ import annotations

import torch


def multiplies_bfloat16() -> bool:
    """True with AVX-512 BF16 or AMX; without, bfloat16 products are emulated."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()  # noqa: SLF001


def multiplies_int8() -> bool:
    """True with VNNI or AMX: sums of int8 products in 32 bits."""
    return torch.cpu._is_vnni_supported() or torch.cpu._is_amx_tile_supported()  # noqa: SLF001


def has_int8_linear() -> bool:
    """True if PyTorch's int8 GEMM (FBGEMM) supports this CPU."""
    return "fbgemm" in torch.backends.quantized.supported_engines


def has_bfloat16_linear() -> bool:
    """True if PyTorch's bfloat16 GEMM (oneDNN) supports this CPU."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001
