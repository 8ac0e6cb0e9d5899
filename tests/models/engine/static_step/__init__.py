"""Tests of models/engine/static_step."""

from __future__ import annotations
