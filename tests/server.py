"""A server of the tests' own: `bentoml serve` in a process, on a free port."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any, Protocol

import httpx
import openai
import uvicorn
from starlette.types import ASGIApp

from tests.certificates import Certificate

PROJECT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "bentoml", "serve"]
SERVICE = "service:Whisper"
# Beyond which an answer, a start or an end hangs, on a slow machine with other work, too.
SECONDS, READY_SECONDS, STOP_SECONDS = 300, 300, 120
# The ports that no system gives to connections by itself, which might come before a server does.
PORTS = range(10_000, 32_000)


@dataclass(frozen=True)
class Server:
    """A running server: its address, its process and the file that has what it printed.

    With a certificate it is asked over TLS.
    """

    url: str
    process: subprocess.Popen[bytes]
    output: Path
    certificate: Certificate | None = None

    def stop(self) -> int:
        """End it as a service manager would; its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    @property
    def printed(self) -> str:
        """What it has printed so far."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    @property
    def lines(self) -> list[str]:
        """The lines of it that are whole: the last one may still be under way."""
        return self.printed.rpartition("\n")[0].splitlines()


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
    """A port that nothing listens on, and that nobody is given who asks for any port."""
    # Not the generator that tests seed: others would be given the same port.
    port = SystemRandom().choice(PORTS)
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return free_port()
    return port


@contextmanager
def serving(output: Path, service: str = SERVICE, **settings: str) -> Iterator[Server]:
    """A server with these settings that has said it is ready; ended with the block."""
    with _started(output, [*COMMAND, service], settings) as server:
        yield server


@contextmanager
def serving_over_tls(output: Path, certificate: Certificate, **settings: str) -> Iterator[Server]:
    """The same over TLS."""
    files = ["--ssl-certfile", str(certificate.path), "--ssl-keyfile", str(certificate.key)]
    with _started(output, [*COMMAND, SERVICE, *files], settings, certificate) as server:
        yield server


@contextmanager
def _started(
    output: Path,
    command: list[str],
    settings: Mapping[str, str],
    certificate: Certificate | None = None,
) -> Iterator[Server]:
    own = {"WHISPER_PORT": str(free_port())}
    if "BENTOML_HOME" not in settings:
        # The jobs of a home are those of every server there.
        own["WHISPER_JOBS_DIR"] = str(output.with_name("jobs"))
    environment = {**os.environ, **own, **settings}
    url = f"http{'s' if certificate else ''}://127.0.0.1:{environment['WHISPER_PORT']}"
    with output.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    server = Server(url, process, output, certificate)
    try:
        wait_until_ready(server)
        yield server
    finally:
        if process.poll() is None:
            server.stop()


@contextmanager
def listening(app: ASGIApp, **options: Any) -> Iterator[str]:
    """The address of a server of this app, in a thread, ended with the block."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", **options))
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            # Who comes before it has begun waits in the socket's line.
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.force_exit = True
            server.should_exit = True
            thread.join(STOP_SECONDS)


def wait_until_ready(server: Server) -> None:
    """Ask /readyz until it answers 200; fail with the server's output when it ends first."""
    deadline = time.monotonic() + READY_SECONDS
    trusted = server.certificate and ssl.create_default_context(cafile=server.certificate.path)
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.printed
        try:
            url = f"{server.url}/readyz"
            if httpx.get(url, timeout=READY_SECONDS, verify=trusted or True).is_success:
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
