"""Run configuration of a competitor: the same for all, as far as they know the option."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from models.options import Strategy


@dataclass(frozen=True)
class RunConfig:
    """`model` is an official name; with `tokens_per_window` its weights are random.

    `files` is the model in the competitor's own format, where it cannot read the store.
    `slots` 0 is as many as the server takes; `compute_type` and `batch_size` are CTranslate2's;
    `concurrency` is how many recordings are in flight at once.
    """

    model: str
    threads: int
    device: str = "auto"
    dtype: str = "auto"
    slots: int = 0
    concurrency: int = 1
    strategy: Strategy = "auto"
    compute_type: str = "int8"
    batch_size: int = 8
    tokens_per_window: int | None = None
    files: str | None = None

    def to_json(self) -> str:
        """For a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RunConfig:
        """Inverse of `to_json`."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Recording:
    """One file to transcribe and the language spoken in it."""

    path: str
    language: str
