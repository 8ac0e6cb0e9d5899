"""Processes of the server, from start to end: the parent `bentoml serve` and its workers."""

from __future__ import annotations
