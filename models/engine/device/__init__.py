"""Devices: which there are, memory backoff, what only PyTorch knows of them."""

from __future__ import annotations
