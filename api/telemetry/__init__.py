"""What each request came to, and who is told: logs, metrics, traces."""

from __future__ import annotations
