"""Tests of models/engine/loading."""

from __future__ import annotations
