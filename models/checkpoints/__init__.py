"""Checkpoints: catalogue, canonical weights, safetensors, sources, BentoML's store."""

from __future__ import annotations
