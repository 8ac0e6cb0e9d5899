"""OpenAI's realtime API for transcription, over a WebSocket: events in, events out."""

from __future__ import annotations
