"""Tests of `api/telemetry`."""

from __future__ import annotations
