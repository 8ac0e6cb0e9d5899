"""Live transcription from a terminal: sound, OpenAI's realtime events, and captions."""

from __future__ import annotations
