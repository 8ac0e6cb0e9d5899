"""Tests of scripts/shared."""

from __future__ import annotations
