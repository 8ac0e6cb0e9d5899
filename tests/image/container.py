"""A container of the image, locked down, and the tests' clients inside of its network."""

from __future__ import annotations

import ctypes
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from tests.image.workshop import Workshop

T = TypeVar("T")
URL = "http://127.0.0.1:8000"
READY_SECONDS = 300
CLONE_NEWNET = 0x40000000
# Nothing can be reached, written, gained or exceeded.
LOCKED_DOWN = (
    "--network=none",
    "--read-only",
    "--read-only-tmpfs=false",
    "--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=512m,mode=1777",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=2g",
    "--memory-swap=2g",
    "--pids-limit=256",
)


@dataclass(frozen=True)
class Container:
    """A container that has been started; `inside` are threads in its network."""

    name: str
    workshop: Workshop
    inside: ThreadPoolExecutor
    url: str = URL

    def ask(self, question: Callable[..., T], *arguments: object) -> T:
        """What a client in the container's network is answered."""
        return self.begin(question, *arguments).result()

    def begin(self, question: Callable[..., T], *arguments: object) -> Future[T]:
        """Let a client in the container's network ask."""
        return self.inside.submit(question, *arguments)

    def get(self, path: str) -> httpx.Response:
        """The answer to a GET."""
        return self.ask(lambda: httpx.get(f"{self.url}{path}", timeout=READY_SECONDS))

    def execute(self, *command: str) -> str:
        """What a command in the container prints."""
        return self.workshop.run("podman", "exec", self.name, *command)

    @property
    def state(self) -> dict[str, object]:
        """What podman says of it now."""
        [found] = json.loads(self.workshop.run("podman", "inspect", self.name))
        return dict(found["State"])

    @property
    def printed(self) -> str:
        """Its log, of which podman prints a part to each of stdout and stderr."""
        return self.workshop.run("sh", "-c", 'podman logs "$0" 2>&1', self.name)

    @property
    def pid(self) -> int:
        """Its first process, as this machine sees it."""
        return int(str(self.state["Pid"]))


@contextmanager
def running(
    workshop: Workshop, image: str, *options: str, command: Sequence[str] = ()
) -> Iterator[Container]:
    """A container of the image, with its own command or another, that is removed with the block."""
    name = workshop.run("podman", "run", "--detach", *LOCKED_DOWN, *options, image, *command)
    try:
        pid = workshop.run("podman", "inspect", name, "--format={{.State.Pid}}")
        with ThreadPoolExecutor(initializer=_enter_network, initargs=(pid,)) as inside:
            yield Container(name, workshop, inside)
    finally:
        workshop.run("podman", "rm", "--force", name)


def wait_until_ready(container: Container) -> None:
    """Ask /readyz until it answers 200; fail with the log when the container ends first."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if container.get("/readyz").is_success:
                return
        except httpx.TransportError:
            assert container.state["Running"], container.printed
            time.sleep(0.1)
    raise AssertionError(f"not ready after {READY_SECONDS} s:\n{container.printed}")


def _enter_network(pid: str) -> None:
    """Let the calling thread see a process's network in the place of its own."""
    namespace = os.open(Path(f"/proc/{pid}/ns/net"), os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "the container's network cannot be entered")
    finally:
        os.close(namespace)
