"""Tests of models/engine/decoding."""

from __future__ import annotations
