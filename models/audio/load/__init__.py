"""Container to samples: the track, its presentation times, the downmix, 16 kHz."""

from __future__ import annotations
