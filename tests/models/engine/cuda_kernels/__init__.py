"""Tests of models/engine/cuda_kernels."""

from __future__ import annotations
