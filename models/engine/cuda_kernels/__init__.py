"""CUDA kernels for a decode step, where PyTorch has too many or reads too much."""

from __future__ import annotations
