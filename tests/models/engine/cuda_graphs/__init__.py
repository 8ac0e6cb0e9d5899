"""Tests of models/engine/cuda_graphs."""

from __future__ import annotations
