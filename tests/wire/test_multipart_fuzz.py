"""Five thousand damaged bodies: a 400 in the envelope or the text, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from models.weights import Weights
from tests.server import Server, serving
from tests.wire.http import SECONDS, TEXT, TRANSCRIPTIONS, post
from tests.wire.mutations import MEBIBYTE, mutated
from tests.wire.promises import promises

BODIES = 5_000
# By then every buffer and thread is there that requests of this kind need.
WARM = 1_000
GROWTH = 48 * MEBIBYTE


@pytest.fixture(scope="module")
def fuzzed(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of `tiny.en` whose temporary files are in a folder of their own."""
    weights("tiny.en")
    folder = tmp_path_factory.mktemp("fuzzed")
    (folder / "tmp").mkdir()
    with serving(
        folder / "output.txt", WHISPER_DEFAULT_MODEL="tiny.en", TMPDIR=str(folder / "tmp")
    ) as running:
        yield running


def worker(server: Server) -> psutil.Process:
    """The process that answers: the largest under the server."""
    children = psutil.Process(server.process.pid).children(recursive=True)
    return max(children, key=lambda process: process.memory_info().rss)


def send(client: httpx.Client, number: int) -> int:
    """The status for the body of that number, whose answer is what clients may expect."""
    sent = mutated(number)
    headers = {b"content-type": sent.content_type}
    answer = client.post(TRANSCRIPTIONS, content=sent.body, headers=headers)
    assert answer.status_code in (200, 400, 404), f"body {number}: {answer.status_code}"
    if answer.status_code != 200:
        assert list(answer.json()["error"]) == ["message", "type", "param", "code"], number
    return answer.status_code


@promises("Errors", "5,000 damaged multipart bodies: never a 5xx, nothing left behind")
def test_damaged_bodies(fuzzed: Server) -> None:
    process = worker(fuzzed)
    with httpx.Client(base_url=fuzzed.url, timeout=SECONDS) as client:
        seen = [send(client, number) for number in range(WARM)]
        memory, files = process.memory_info().rss, process.num_fds()
        seen += [send(client, number) for number in range(WARM, BODIES)]
        grown = process.memory_info().rss - memory
        assert process.num_fds() <= files

    assert {200, 400} <= set(seen)
    assert grown < GROWTH, f"{grown / MEBIBYTE:.0f} MiB"
    left = [path for path in Path(fuzzed.output.parent / "tmp").rglob("*") if path.is_file()]
    assert left == []
    assert "Traceback" not in fuzzed.printed
    assert post(fuzzed).json()["text"] == TEXT
