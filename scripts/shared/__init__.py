"""Modules shared by benchmarks, quality measurements and load tests."""

from __future__ import annotations
