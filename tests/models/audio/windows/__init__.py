"""Tests of models/audio/windows."""

from __future__ import annotations
