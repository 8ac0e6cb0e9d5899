"""What the programs that measure share."""

from __future__ import annotations
