"""Terminal output: progress bars or lines on stderr, JSON lines on stdout."""

from __future__ import annotations
