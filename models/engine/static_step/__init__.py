"""Decode step in static shapes with its state on the device, so that a CUDA graph can replay it."""

from __future__ import annotations
