"""Tokens to what people read: segments, transcripts, subtitles."""

from __future__ import annotations
