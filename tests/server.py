"""A server of the tests' own: `bentoml serve` in a process, on a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
import openai
import uvicorn
from starlette.types import ASGIApp

PROJECT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "bentoml", "serve"]
SERVICE = "service:Whisper"
READY_SECONDS = 120
STOP_SECONDS = 30


@dataclass(frozen=True)
class Server:
    """A running server: its address, its process and the file that has what it printed."""

    url: str
    process: subprocess.Popen[bytes]
    output: Path

    def stop(self) -> int:
        """End it as a service manager would; its exit status."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    @property
    def printed(self) -> str:
        """What it has printed so far."""
        return self.output.read_text(encoding="utf-8", errors="replace")


class Reachable(Protocol):
    """A server of any kind."""

    @property
    def url(self) -> str:
        """Its address."""
        ...


def strict_sdk(server: Reachable) -> openai.OpenAI:
    """OpenAI's SDK, which checks every answer against its types and sends nothing again."""
    return openai.OpenAI(
        base_url=f"{server.url}/v1",
        api_key="unused",
        max_retries=0,
        _strict_response_validation=True,
    )


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(output: Path, service: str = SERVICE, **settings: str) -> Iterator[Server]:
    """A server with these settings that has said it is ready; ended with the block."""
    environment = {**os.environ, "WHISPER_PORT": str(free_port()), **settings}
    url = f"http://127.0.0.1:{environment['WHISPER_PORT']}"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [*COMMAND, service], cwd=PROJECT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    server = Server(url, process, output)
    try:
        wait_until_ready(server)
        yield server
    finally:
        if process.poll() is None:
            server.stop()


@contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    """The address of a server of this app, in a thread, ended with the block."""
    port = free_port()
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.force_exit = True
        server.should_exit = True
        thread.join(20)


def wait_until_ready(server: Server) -> None:
    """Ask /readyz until it answers 200; fail with the server's output when it ends first."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.printed
        try:
            if httpx.get(f"{server.url}/readyz", timeout=READY_SECONDS).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"not ready after {READY_SECONDS} s:\n{server.printed}")


def failing_start(arguments: tuple[str, ...] = (), **settings: str) -> tuple[int, str]:
    """Exit status and stderr of a server that should not start."""
    environment: Mapping[str, str] = {**os.environ, "WHISPER_PORT": str(free_port()), **settings}
    done = subprocess.run(
        [*COMMAND, SERVICE, *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    return done.returncode, done.stderr
