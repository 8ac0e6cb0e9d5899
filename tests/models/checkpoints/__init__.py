"""Tests of models/checkpoints."""

from __future__ import annotations
