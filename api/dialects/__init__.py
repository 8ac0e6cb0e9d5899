"""Dialects: other APIs' fields and answers over the same requests."""

from __future__ import annotations
