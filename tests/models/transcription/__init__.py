"""Tests of models/transcription."""

from __future__ import annotations
