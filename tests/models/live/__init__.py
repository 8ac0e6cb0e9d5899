"""Tests of models/live."""

from __future__ import annotations
