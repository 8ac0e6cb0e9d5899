"""A recording to its transcript: windows, their decoding, checks, segments."""

from __future__ import annotations
