"""Compose of a clone, as podman-compose does it, in a network of the tests' own."""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.image.bentos import wheels
from tests.image.container import CLONE_NEWNET, Container
from tests.image.workshop import BASE, BUILD_OPTIONS, Workshop

# Without a pod, which would take an image that Debian does not bring.
COMMAND = (sys.executable, "-m", "podman_compose", "--in-pod=false")
# As `whisper-bento containerize` builds: layers that do not change with the time.
STEADY = ("--format=docker", "--timestamp=0")
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


@dataclass(frozen=True)
class Compose:
    """The files of a clone's `deploy`, with this model; as it is in an archive."""

    workshop: Workshop
    clone: Path
    model: str
    archive: Path

    @property
    def image(self) -> str:
        """The image that is built and run, by name."""
        return f"localhost/whisper-bento:{self.model}"

    def run(self, *arguments: str, gpu: bool = False) -> str:
        """What a command prints; podman builds as `Workshop` does."""
        names = ("compose.yaml", "compose.gpu.yaml") if gpu else ("compose.yaml",)
        options = (*STEADY, *BUILD_OPTIONS, f"--volume={self.archive}:/archive:ro")
        told = {"MODEL": self.model, "MODEL_FROM": "/archive", "BASE": BASE, **wheels()}
        return self.workshop.run(
            *(*COMMAND, f"--podman-build-args={' '.join(options)}"),
            *(f"--file={self.clone}/deploy/{name}" for name in names),
            *arguments,
            **told,
        )

    @contextmanager
    def up(self, *, gpu: bool = False) -> Iterator[Container]:
        """The container of `up`, and then `down`; its port is one of a network of its own."""
        with ThreadPoolExecutor(1, initializer=_leave_network) as inside:
            try:
                inside.submit(self.run, "up", "--detach", gpu=gpu).result()
                [name] = self.containers()
                yield Container(name, self.workshop, inside)
            finally:
                inside.submit(self.run, "down", gpu=gpu).result()

    def containers(self) -> list[str]:
        """Those of the project, by name, whether they run or not."""
        label = "--filter=label=com.docker.compose.project=whisper"
        return self.workshop.run("podman", "ps", "--all", label, "--format={{.Names}}").split()


def _leave_network() -> None:
    """Give the calling thread, and what it starts, a network that has a loopback device alone."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "a network cannot be made")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", _IFF_UP))
