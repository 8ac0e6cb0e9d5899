"""Transcription: the windows of a recording, their decoding, quality checks, segments."""

from __future__ import annotations
