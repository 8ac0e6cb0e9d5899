"""What the two benchmark programs are made of."""

from __future__ import annotations
