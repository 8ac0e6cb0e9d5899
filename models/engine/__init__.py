"""Windows to tokens with scores: the only place that touches a device."""

from __future__ import annotations
