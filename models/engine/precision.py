"""Number formats: of the linear layers, of what passes between them, and of the cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from models.errors import DeviceError

LinearKind = Literal["plain", "bfloat16", "int8"]

_PLAIN = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Precision:
    """`state` is the format between layers, `attention` that of attention over a window.

    `encoder` and `decoder` say how their linear layers multiply. On a CPU half-precision
    arithmetic exists only inside the GEMMs: there bfloat16 and int8 mean the linear layers, and
    the state stays float32.
    """

    name: str
    state: torch.dtype
    attention: torch.dtype
    encoder: LinearKind = "plain"
    decoder: LinearKind = "plain"

    @property
    def rotates(self) -> bool:
        """Whether the residual streams take another basis, for the sake of int8."""
        return "int8" in (self.encoder, self.decoder)

    @property
    def absorbs(self) -> bool:
        """Whether decoding reads a window's states, and no keys and values of theirs."""
        return self.decoder == "int8"

    @property
    def window_state(self) -> torch.dtype | None:
        """The format of a window's keys and values in the cache; None where there are none."""
        return None if self.absorbs else self.attention


def resolve_precision(wanted: str, device: torch.device) -> Precision:
    """The precision for auto, float32, float16, bfloat16 or int8.

    Auto means float16 on CUDA and on a CPU the fastest that it knows: int8, else bfloat16, else
    float32. int8 is for the decoder, whose steps read every weight for a few rows; the encoder has
    work enough for each weight, so that bfloat16 costs it no time where the CPU multiplies it, and
    takes less off the accuracy.

    Raises:
        DeviceError: this device does not do that one.
    """
    if wanted == "auto":
        wanted = "float16" if device.type == "cuda" else _fastest_on_cpu()
    plain = _PLAIN.get(wanted)
    if plain is not None and (device.type == "cuda" or plain is torch.float32):
        return Precision(wanted, plain, plain)
    half = torch.bfloat16 if multiplies_bfloat16() else torch.float32
    if device.type == "cpu" and wanted == "bfloat16" and has_bfloat16_linear():
        return Precision(wanted, torch.float32, torch.bfloat16, "bfloat16", "bfloat16")
    if device.type == "cpu" and wanted == "int8" and has_int8_linear():
        encoder: LinearKind = "bfloat16" if multiplies_bfloat16() else "int8"
        return Precision(wanted, torch.float32, half, encoder, "int8")
    raise DeviceError(f"{wanted} is not available on {device.type} here: take auto or float32")


def _fastest_on_cpu() -> str:
    if has_int8_linear() and torch.cpu._is_avx2_supported():  # noqa: SLF001
        return "int8"
    return "bfloat16" if multiplies_bfloat16() else "float32"


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
