"""What the proofs under load, soak and overload, are made of."""

from __future__ import annotations
