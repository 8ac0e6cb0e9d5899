"""Tests of api/jobs."""

from __future__ import annotations
