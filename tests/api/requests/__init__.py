"""Tests of api/requests."""

from __future__ import annotations
