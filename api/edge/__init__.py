"""Everything that stands around all endpoints: who may come in, how long, with how much."""

from __future__ import annotations
