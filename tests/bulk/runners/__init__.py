"""Tests of bulk/runners/."""

from __future__ import annotations
