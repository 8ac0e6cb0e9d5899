"""Tests of models/engine/cpu."""

from __future__ import annotations
