"""The decode step in static shapes, in plain PyTorch, with its state on the device."""

from __future__ import annotations
