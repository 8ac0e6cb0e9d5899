"""Tests of models/engine/device."""

from __future__ import annotations
