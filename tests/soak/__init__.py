"""Minutes of many clients, rude ones among them, at a server that `bentoml serve` started."""

from __future__ import annotations
