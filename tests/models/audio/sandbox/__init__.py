"""Tests of models/audio/sandbox."""

from __future__ import annotations
