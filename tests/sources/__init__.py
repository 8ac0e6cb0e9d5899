"""Tests of models/sources."""

from __future__ import annotations
