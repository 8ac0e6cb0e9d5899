"""A server's processes, and requests to it that take their time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from tests.process_tree import is_alive, of_each
from tests.server import SERVICE, Server, serving
from tests.speech_clips import jfk

# Beyond which something hangs, on a machine with other work, too.
LONGEST_SECONDS = 300


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
    return [each for each in psutil.Process(server.process.pid).children() if is_alive(each)]


def end(worker: psutil.Process) -> None:
    """Kill a worker, and see it gone: the system may take a moment."""
    worker.kill()
    assert eventually(lambda: not is_alive(worker))


def template(server: Server) -> psutil.Process:
    """The process that the sandbox of the only worker forks its children from."""

    def found() -> list[psutil.Process]:
        children = [child for worker in workers(server) for child in worker.children()]
        commands = of_each(children, lambda each: (each, each.cmdline()))
        return [each for each, command in commands if "models.audio.sandbox.template" in command]

    assert eventually(lambda: len(found()) == 1)
    return found()[0]


def files(home: Path) -> list[Path]:
    """The temporary files that hold something."""
    found = []
    # Its folders may go while they are read.
    for folder, _, names in os.walk(home / "temporary"):
        for path in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):
                if path.is_file() and path.stat().st_size:
                    found.append(path)
    return found


def eventually(holds: Callable[[], bool], pause: float = 0.05) -> bool:
    """Whether it comes true, looked at with this pause in seconds."""
    end = time.monotonic() + LONGEST_SECONDS
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(pause)
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


def readiness(server: Server) -> int:
    """The status of /readyz; 0 where nobody answers."""
    try:
        return httpx.get(f"{server.url}/readyz", timeout=5).status_code
    except httpx.TransportError:
        return 0
