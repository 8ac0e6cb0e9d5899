"""A server's processes, and requests to it that take their time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import httpx
import psutil

from tests.server import SERVICE, Server, serving
from tests.speech_clips import jfk

LONGEST_SECONDS = 120


@contextmanager
def mistreated(home: Path, service: str = SERVICE, **settings: str) -> Iterator[Server]:
    """A server of `tiny.en` of its own home, whatever becomes of it."""
    with serving(
        home / "output.txt",
        service,
        BENTOML_HOME=str(home),
        TMPDIR=str(home / "temporary"),
        WHISPER_DEFAULT_MODEL="tiny.en",
        **settings,
    ) as running:
        yield running


def workers(server: Server) -> list[psutil.Process]:
    """The workers that are alive."""
    children = psutil.Process(server.process.pid).children()
    return [each for each in children if each.status() != psutil.STATUS_ZOMBIE]


def files(home: Path) -> list[Path]:
    """The temporary files that hold something."""
    everything = (home / "temporary").rglob("*")
    return [path for path in everything if path.is_file() and path.stat().st_size]


def eventually(holds: Callable[[], bool], seconds: float = LONGEST_SECONDS) -> bool:
    """Whether it comes true in time."""
    end = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return held


def transcribe(server: Server, path: Path | None = None, **fields: str) -> httpx.Response:
    """The answer to a recording, a short one if not told otherwise."""
    with (path or jfk().path).open("rb") as file:
        return httpx.post(
            f"{server.url}/v1/audio/transcriptions",
            files={"file": file},
            data={"model": "whisper-1", **fields},
            timeout=LONGEST_SECONDS,
        )


def transcribe_natively(server: Server, path: Path) -> httpx.Response:
    """The answer of the native endpoint."""
    with path.open("rb") as file:
        files = {"file": file}
        return httpx.post(f"{server.url}/transcribe", files=files, timeout=LONGEST_SECONDS)


@contextmanager
def streaming(server: Server, path: Path) -> Iterator[httpx.Response]:
    """The answer to a recording as it comes; its headers have come."""
    with (
        path.open("rb") as file,
        httpx.stream(
            "POST",
            f"{server.url}/v1/audio/transcriptions",
            files={"file": file},
            data={"model": "whisper-1", "stream": "true"},
            timeout=LONGEST_SECONDS,
        ) as answer,
    ):
        yield answer


def connections(server: Server) -> int:
    """How many clients are connected."""
    made = [each.net_connections("tcp") for each in workers(server)]
    return sum(each.status == psutil.CONN_ESTABLISHED for each in chain.from_iterable(made))


def readiness(server: Server) -> int:
    """The status of /readyz; 0 where nobody answers."""
    try:
        return httpx.get(f"{server.url}/readyz", timeout=5).status_code
    except httpx.TransportError:
        return 0
