"""Promises to clients, kept over the wire by a server that `bentoml serve` started."""

from __future__ import annotations
