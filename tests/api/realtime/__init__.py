"""Tests of the realtime API, without an engine."""

from __future__ import annotations
