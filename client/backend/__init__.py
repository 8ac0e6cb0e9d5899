"""Transcription backends: their protocol, requests, events and errors."""

from __future__ import annotations
