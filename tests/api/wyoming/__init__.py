"""Tests of Wyoming, without an engine."""

from __future__ import annotations
