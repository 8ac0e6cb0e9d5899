"""Tests of scripts/load_tests."""

from __future__ import annotations
