"""One server with everything that can be seen of it turned on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from models.weights import Weights
from tests.operation.collector import Collector, collecting
from tests.operation.homes import own_home
from tests.server import Server, serving


@dataclass(frozen=True)
class Seen:
    """A server that logs JSON and is traced, and the collector that gets its spans."""

    server: Server
    collector: Collector


@pytest.fixture(scope="session")
def seen(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seen]:
    """`tiny.en`, logging JSON, with its spans sent here as soon as they are there."""
    weights("tiny.en")
    folder = tmp_path_factory.mktemp("seen")
    settings = {
        "BENTOML_HOME": own_home(folder),
        "WHISPER_DEFAULT_MODEL": "tiny.en",
        "WHISPER_LOG_FORMAT": "json",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with (
        collecting() as collector,
        serving(folder / "output.txt", WHISPER_OTLP_ENDPOINT=collector.url, **settings) as server,
    ):
        yield Seen(server, collector)
