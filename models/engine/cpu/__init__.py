"""The CPU: its features, threads, and contention with other processes."""

from __future__ import annotations
