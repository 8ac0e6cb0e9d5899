"""Imported weights and their origin, as every reader hands them to the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models.checkpoints.weights import Weights

# Progress messages for the person who waits; the command prints them.
Notify = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """Weights with where they came from; `sha256` maps the files read to their hashes."""

    weights: Weights
    description: str
    sha256: Mapping[str, str]
    licence: str = "unknown"
