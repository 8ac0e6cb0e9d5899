"""The server's processes, the parent that `bentoml serve` starts and its workers: start to end."""

from __future__ import annotations
