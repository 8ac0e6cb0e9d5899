"""Transcripts to answers: json, text, verbose_json, srt, vtt and server-sent events."""

from __future__ import annotations
