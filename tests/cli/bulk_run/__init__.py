"""Tests of cli/bulk_run/."""

from __future__ import annotations
