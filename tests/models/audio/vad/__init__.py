"""Tests of models/audio/vad."""

from __future__ import annotations
