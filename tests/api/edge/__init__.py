"""Tests of `api/edge`."""

from __future__ import annotations
