"""Recording to segments: which windows are decoded, and in which order."""

from __future__ import annotations
