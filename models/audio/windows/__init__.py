"""Spans of speech to windows of at most 30 s, while a recording is read."""

from __future__ import annotations
