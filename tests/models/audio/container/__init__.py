"""Tests of models/audio/container."""

from __future__ import annotations
