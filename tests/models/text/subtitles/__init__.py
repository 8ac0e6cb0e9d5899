"""Tests of models/text/subtitles."""

from __future__ import annotations
