"""Text of decoded tokens: segments, words, transcripts, subtitles."""

from __future__ import annotations
