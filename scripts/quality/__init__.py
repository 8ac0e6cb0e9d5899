"""How good the text is, beside openai-whisper's on the same weights."""

from __future__ import annotations
