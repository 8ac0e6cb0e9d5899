"""Tests of api/middleware."""

from __future__ import annotations
