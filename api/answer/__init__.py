"""From transcripts to what is sent: whole, or in events."""

from __future__ import annotations
