"""Loading: the track of a container, its presentation times, the downmix, 16 kHz."""

from __future__ import annotations
