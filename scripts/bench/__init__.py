"""Benchmarks of speed, accuracy and memory, alone and against other Whispers."""

from __future__ import annotations
