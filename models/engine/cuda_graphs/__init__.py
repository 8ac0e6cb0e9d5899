"""GPU backend: CUDA graphs of encoding and decoding, captured once for each batch bucket."""

from __future__ import annotations
