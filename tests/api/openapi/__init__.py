"""Tests of api/openapi."""

from __future__ import annotations
