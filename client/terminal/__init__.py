"""What a user sees: bars or lines on stderr, and lines of JSON for programs."""

from __future__ import annotations
