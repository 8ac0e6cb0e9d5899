"""Source: imported weights and where they came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models.checkpoints.weights import Weights

# Tells the person who waits what happens; the script prints it.
Notify = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """Weights with where they came from; `sha256` maps the files read to their hashes."""

    weights: Weights
    description: str
    sha256: Mapping[str, str]
    licence: str = "unknown"
