"""Tests of scripts/bench."""

from __future__ import annotations
