"""Container formats: which are read, and what their bytes say of lengths and ends."""

from __future__ import annotations
