"""The GPU backend: encoding and decoding as CUDA graphs, captured once a size."""

from __future__ import annotations
