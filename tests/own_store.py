"""A store of a test's own, and what is saved in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.models import ModelStore

from models.checkpoints import store
from models.checkpoints.store import StoredCheckpoint
from models.checkpoints.weights import Weights
from tests.tiny import tiny_weights


@contextmanager
def own_store(path: Path) -> Iterator[Path]:
    """A new BENTOML_HOME for the block; BentoML reads the variable only once a process."""
    (path / "models").mkdir(parents=True)
    BentoMLContainer.bentoml_home.set(str(path))
    BentoMLContainer.model_store.set(ModelStore(path / "models"))
    yield path
    BentoMLContainer.bentoml_home.reset()
    BentoMLContainer.model_store.reset()


def saved(name: str = "mine", weights: Weights | None = None) -> StoredCheckpoint:
    """A checkpoint in the store, of a tiny model if none is given."""
    return store.save(name, weights or tiny_weights(), "a test", "CC0-1.0", {"x.pt": "ab" * 32})


def latest(home: Path, name: str = "mine") -> str:
    """The version that BentoML takes for the latest."""
    return (home / "models" / f"whisper-{name}" / "latest").read_text()
