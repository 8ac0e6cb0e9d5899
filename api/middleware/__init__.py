"""ASGI middleware around all endpoints, listed from the outside in by `stack.py`."""

from __future__ import annotations
