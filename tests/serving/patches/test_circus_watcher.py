"""Of a worker that dies, its end is noted however long it takes."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from serving.patches.circus_watcher import Supervisor
from serving.scratch import clear_after

SECONDS = 20
# Its first thread ends, the other goes on: to the system it is dead, and cannot be reaped.
ENDING = (
    "import ctypes, threading, time;"
    f"threading.Thread(target=time.sleep, args=[{SECONDS}]).start();"
    "ctypes.CDLL(None).pthread_exit(None)"
)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """Of one such worker."""
    clear = partial(clear_after, tmp_path)
    made = Supervisor(
        0, clear, name="worker", cmd=sys.executable, args=["-c", ENDING], copy_env=True
    )
    asyncio.run(started(made))
    yield made
    for each in made.processes.values():
        os.kill(each.pid, signal.SIGKILL)
        os.waitpid(each.pid, 0)


async def started(supervisor: Supervisor) -> None:
    await supervisor.start()


async def managed(supervisor: Supervisor) -> None:
    await supervisor.manage_processes()


def until_a_zombie(pid: int) -> None:
    deadline = time.monotonic() + SECONDS
    while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_worker_that_is_ending_is_replaced_when_it_has_ended(
    supervisor: Supervisor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    [ending] = supervisor.processes
    (tmp_path / f"worker-{ending}").mkdir()
    until_a_zombie(ending)
    asyncio.run(managed(supervisor))
    assert list(supervisor.processes) == [ending]

    os.kill(ending, signal.SIGKILL)
    # As circus's arbiter does before it has processes managed.
    _, status = os.waitpid(ending, 0)
    with caplog.at_level(logging.ERROR, "bentoml.whisper"):
        supervisor.reap_process(ending, status)
    assert caplog.messages == [f"Worker {ending} ended with signal SIGKILL"]
    assert list(tmp_path.iterdir()) == []
    asyncio.run(managed(supervisor))
    [other] = supervisor.processes
    assert other != ending
