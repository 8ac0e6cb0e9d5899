"""Tests of api/responses."""

from __future__ import annotations
