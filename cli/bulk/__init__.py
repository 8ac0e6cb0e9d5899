"""The `bulk` command: its arguments, and the engine of its local runner."""

from __future__ import annotations
