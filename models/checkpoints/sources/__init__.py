"""Checkpoint sources: one file a format or origin, all giving the same weights."""

from __future__ import annotations
