"""Precision: number formats of the linear layers, of the states between them, of the cache."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from models.engine.cpu.cpu_features import (
    has_bfloat16_linear,
    has_int8_linear,
    multiplies_bfloat16,
)
from models.engine.network.autotune import pick_attention_dtype, pick_encoder_linear
from models.engine.network.linear import LinearKind
from models.errors import DeviceError

_PLAIN = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Precision:
    """`state` is the format between layers, `attention` that of attention over a window.

    `encoder` and `decoder` are those of their linear layers. On a CPU half-precision
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
        """True if the residual streams take another basis, for the sake of int8 (rotation.py)."""
        return "int8" in (self.encoder, self.decoder)

    @property
    def absorbs(self) -> bool:
        """True if decoding reads encoder states instead of cross-KV (absorbed_attention.py)."""
        return self.decoder == "int8"

    @property
    def window_state(self) -> torch.dtype | None:
        """Format of cross-KV in the cache; None where there is none."""
        return None if self.absorbs else self.attention


def resolve_precision(wanted: str, device: torch.device) -> Precision:
    """The precision for auto, float32, float16, bfloat16 or int8.

    Auto means float16 on CUDA and on a CPU the fastest that it knows: int8, else bfloat16, else
    float32. With int8 the decoder's steps read every weight in a byte; the encoder multiplies in
    what the CPU does fastest (autotune.py).

    Raises:
        DeviceError: this device does not do that one.
    """
    if wanted == "auto":
        wanted = "float16" if device.type == "cuda" else _fastest_on_cpu()
    plain = _PLAIN.get(wanted)
    if plain is not None and (device.type == "cuda" or plain is torch.float32):
        return Precision(wanted, plain, plain)
    if device.type == "cpu" and wanted == "bfloat16" and has_bfloat16_linear():
        return Precision(wanted, torch.float32, torch.bfloat16, "bfloat16", "bfloat16")
    if device.type == "cpu" and wanted == "int8" and has_int8_linear():
        return Precision(
            wanted, torch.float32, pick_attention_dtype(), pick_encoder_linear(), "int8"
        )
    raise DeviceError(f"{wanted} is not available on {device.type} here: take auto or float32")


def _fastest_on_cpu() -> str:
    if has_int8_linear() and torch.cpu._is_avx2_supported():  # noqa: SLF001
        return "int8"
    return "bfloat16" if multiplies_bfloat16() else "float32"
