"""Tests of models/audio."""

from __future__ import annotations
