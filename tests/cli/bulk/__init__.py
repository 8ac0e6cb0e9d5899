"""Tests of cli/bulk/."""

from __future__ import annotations
