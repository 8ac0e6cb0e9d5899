"""HTTP in, HTTP out: everything a client can see."""

from __future__ import annotations
