"""Tests of models/engine."""

from __future__ import annotations
