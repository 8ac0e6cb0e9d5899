"""Tests of models/jobs."""

from __future__ import annotations
