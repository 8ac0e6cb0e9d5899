"""Tests of serving."""

from __future__ import annotations
