"""The multipart reader against thousands of broken bodies, sent over the wire."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import httpx
import pytest

from models.checkpoints.weights import Weights
from serving.memory_trim import IDLE_SECONDS
from tests.process_tree import memory, open_files
from tests.server import Server, serving
from tests.wire.bodies import BOUNDARY, FILE, MODEL, MULTIPART, NAMES, VALUES, body_of, named
from tests.wire.http import SECONDS, TEXT, TRANSCRIPTIONS, error_of, post
from tests.wire.mutations import in_pieces, mutated
from tests.wire.promises import promises

BODIES = 7_000
# As many as it takes until caches are full and the allocator has what it needs.
WARM_UP = 3_500
# 3.5 KiB a request: a timer that is kept for each takes 5.
MAX_GROWTH = 14 * 1024 * 1024


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def fuzzed(weights: Callable[[str], Weights], folder: Path) -> Iterator[Server]:
    """A server of `tiny.en` with a folder of its own for temporary files."""
    weights("tiny.en")
    output = folder.with_name("output.txt")
    with serving(output, WHISPER_DEFAULT_MODEL="tiny.en", TMPDIR=str(folder)) as running:
        yield running


def memory_at_rest(server: Server) -> int:
    """Bytes of the server's processes, after free memory was given back to the system.

    It is given back once for each idle period, and now and then between. So without the wait two
    figures may differ by all that a minute of work leaves free.
    """
    time.sleep(2 * IDLE_SECONDS + 2)
    return memory(server.process.pid)


def open_files_at_rest(server: Server) -> int:
    """How many files are open, once what was at work on the last request has ended."""
    counts = [-1, open_files(server.process.pid)]
    deadline = time.monotonic() + SECONDS
    while counts[-1] != counts[-2] and time.monotonic() < deadline:
        time.sleep(0.5)
        counts.append(open_files(server.process.pid))
    return counts[-1]


def send(client: httpx.Client, numbers: Iterable[int]) -> Counter[int]:
    """Send the bodies of these numbers, every third in pieces; how often each status came."""
    statuses: Counter[int] = Counter()
    for number in numbers:
        name, sent = mutated(number)
        content = sent.body if number % 3 else iter(in_pieces(number, sent.body))
        statuses[status_of(client, f"body {name}", content, sent.content_type)] += 1
    return statuses


def status_of(
    client: httpx.Client, name: str, content: bytes | Iterator[bytes], content_type: bytes
) -> int:
    """The status of the answer, which is a good one or OpenAI's envelope."""
    headers = [(b"content-type", content_type)]
    try:
        answer = client.post(TRANSCRIPTIONS, content=content, headers=headers)
        assert answer.status_code < 500
        if answer.status_code != 200:
            error_of(answer, answer.status_code)
    except (AssertionError, httpx.HTTPError) as error:
        raise AssertionError(f"{name}: {error!r}") from error
    return answer.status_code


@promises(
    "Requests",
    "no multipart body, however broken, makes the server fail, leak or forget the next request",
)
def test_multipart_fuzz(fuzzed: Server, folder: Path) -> None:
    with httpx.Client(base_url=fuzzed.url, timeout=SECONDS) as client:
        send(client, range(WARM_UP))
        opened = open_files_at_rest(fuzzed)
        used, files = memory_at_rest(fuzzed), set(folder.rglob("*"))
        statuses = send(client, range(WARM_UP, BODIES))
        assert open_files_at_rest(fuzzed) == opened
        growth = memory_at_rest(fuzzed) - used
    assert growth < MAX_GROWTH
    assert set(folder.rglob("*")) == files
    assert "Traceback" not in fuzzed.printed
    # Neither all refused nor all served.
    assert statuses[200] > 500
    assert statuses[400] > 500
    assert post(fuzzed, {}).json()["text"] == TEXT


@promises("Requests", "every field with a strange value: used or a 400, never a 5xx")
def test_every_field_with_every_strange_value(fuzzed: Server) -> None:
    with httpx.Client(base_url=fuzzed.url, timeout=SECONDS) as client:
        statuses = {
            status_of(
                client,
                f"{name!r} = {value[:50]!r}",
                body_of([FILE, MODEL, (named(name), value)]),
                MULTIPART + BOUNDARY,
            )
            for name in NAMES
            for value in VALUES
        }
    assert statuses == {200, 400, 404}
    assert "Traceback" not in fuzzed.printed
