"""Container formats: the ones read, and the lengths and ends in their bytes."""

from __future__ import annotations
