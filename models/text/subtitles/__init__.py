"""Segments to cues, and cues to srt and vtt."""

from __future__ import annotations
