"""The CPU: what it multiplies, its threads, and other programs beside them."""

from __future__ import annotations
