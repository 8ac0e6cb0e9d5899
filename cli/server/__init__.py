"""The server that a command asks: its address and key, as users give them."""

from __future__ import annotations
