"""Tests of bulk/."""

from __future__ import annotations
