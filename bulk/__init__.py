"""Bulk transcription: a manifest of recordings to rows of text, with resume."""

from __future__ import annotations
