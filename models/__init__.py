"""Audio in, transcript out: checkpoints, their store, the engine and everything around them."""

from __future__ import annotations
