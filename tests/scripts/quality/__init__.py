"""Tests of scripts/quality."""

from __future__ import annotations
