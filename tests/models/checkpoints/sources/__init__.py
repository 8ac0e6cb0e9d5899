"""Tests of models/checkpoints/sources."""

from __future__ import annotations
