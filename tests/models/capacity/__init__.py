"""Tests of models/capacity."""

from __future__ import annotations
