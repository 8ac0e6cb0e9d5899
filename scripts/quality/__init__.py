"""Text and word-time quality, beside openai-whisper's on the same weights."""

from __future__ import annotations
