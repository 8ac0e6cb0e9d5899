"""Devices: choice, GPU streams, memory backoff, questions that only PyTorch can answer."""

from __future__ import annotations
