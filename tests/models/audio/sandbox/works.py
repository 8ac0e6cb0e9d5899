"""Workers for the sandbox tests, in place of the one that reads a recording."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from models.audio.sandbox.messages import Kind, send
from models.audio.sandbox.rlimits import Limits


def sleep(limits: Limits, source: int, request: bytes, output: BinaryIO) -> None:
    """Nothing, and no end."""
    time.sleep(3600)


def talk(limits: Limits, source: int, request: bytes, output: BinaryIO) -> None:
    """Say something all the time, and use the CPU for it."""
    while True:
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
        send(output, Kind.SAMPLES, b"\0\0")


def crash(limits: Limits, source: int, request: bytes, output: BinaryIO) -> None:
    """As a decoder with a fault."""
    os.kill(os.getpid(), signal.SIGSEGV)


def reach(limits: Limits, source: int, request: bytes, output: BinaryIO) -> None:
    """Try to reach what the file names, and say what came of it, by the name of each attempt."""
    given = json.loads(os.pread(source, 10_000, 0))
    path, port = Path(given["path"]), given["port"]
    attempts: dict[str, Callable[[], object]] = {
        "read": path.read_bytes,
        "write": lambda: path.with_suffix(".new").write_bytes(b"new"),
        "list": lambda: list(path.parent.iterdir()),
        "truncate": lambda: os.truncate(path, 0),
        "rename": lambda: path.rename(path.with_suffix(".moved")),
        "unlink": path.unlink,
        "make a folder": path.with_suffix(".folder").mkdir,
        "connect": lambda: socket.create_connection(("127.0.0.1", port), 1),
        "listen": lambda: socket.create_server(("127.0.0.1", 0)),
        "pipe": os.pipe,
        "copy a descriptor": lambda: os.dup(source),
        "run": lambda: subprocess.run(["/bin/true"], check=True),
        "grow its file": lambda: os.pwrite(source, b"more", 1_000_000),
        "signal its parent": lambda: os.kill(os.getppid(), signal.SIGCONT),
    }
    said = {name: _outcome(attempt) for name, attempt in attempts.items()}
    said["environment"] = " ".join(sorted(os.environ))
    said["threads"] = str(threading.active_count())
    said["descriptors"] = " ".join(str(each) for each in range(4096) if _is_open(each))
    send(output, Kind.ERROR, json.dumps(said).encode())


def _outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return "done"


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
