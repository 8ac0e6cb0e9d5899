"""Weights in the file formats of other Whispers."""

from __future__ import annotations
