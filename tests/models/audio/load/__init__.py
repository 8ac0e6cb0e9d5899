"""Tests of models/audio/load."""

from __future__ import annotations
