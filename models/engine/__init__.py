"""Inference engine: windows to tokens with scores; the only place that computes on a device."""

from __future__ import annotations
