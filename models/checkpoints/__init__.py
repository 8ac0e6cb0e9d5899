"""Weights: the official ones, one form for all, safetensors, BentoML's store."""

from __future__ import annotations
