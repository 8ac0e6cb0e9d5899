"""A server that the commands ask, with a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from models.checkpoints.weights import Weights
from tests.server import Server, serving

KEY = "a-key-of-this-very-server"


@pytest.fixture(scope="session")
def server(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of `tiny.en` that asks for `KEY`."""
    weights("tiny.en")
    with serving(
        tmp_path_factory.mktemp("asked") / "output.txt",
        WHISPER_DEFAULT_MODEL="tiny.en",
        WHISPER_API_KEYS=KEY,
    ) as running:
        yield running
