"""BentoML's own endpoints, `/transcribe` and `/translate`: as careful as the OpenAI app."""

from __future__ import annotations
