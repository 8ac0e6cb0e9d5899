"""Entry points run as `python -m scripts.NAME`."""

from __future__ import annotations
