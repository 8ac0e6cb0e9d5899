"""Workers are kept as a server wants it: each patch of circus is seen from outside."""

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
from circus.process import Process

from serving.patches.circus_watcher import Supervisor
from serving.scratch import clear_after
from tests.operation.processes import eventually, workers
from tests.server import Server, serving

SECONDS = 120
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


async def ended(supervisor: Supervisor, process: Process) -> None:
    await supervisor.kill_process(process)


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


# A worker takes a while to end, and its child notes that it was told to.
WORKER = "sh child & trap 'sleep 1; kill -9 $!; exit' TERM; wait"
CHILD = "trap 'touch told' TERM; touch ready; while :; do sleep 0.1; done"


def test_children_of_a_worker_are_not_told_to_end(tmp_path: Path) -> None:
    (tmp_path / "child").write_text(CHILD)
    made = Supervisor(
        SECONDS,
        lambda _: True,
        # As BentoML has it.
        stop_children=True,
        name="worker",
        cmd="/bin/sh",
        args=["-c", WORKER],
        copy_env=True,
        working_dir=str(tmp_path),
    )
    asyncio.run(started(made))
    assert eventually((tmp_path / "ready").exists)
    [process] = made.processes.values()
    asyncio.run(ended(made, process))

    assert not process.is_alive()
    assert not (tmp_path / "told").exists()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server without a model that believes to be in a container."""
    with serving(
        tmp_path / "output.txt",
        "tests.serving.patches.tiny_service:Tiny",
        BENTOML_HOME=str(tmp_path),
        BENTOML_CONTAINERIZED="1",
    ) as running:
        yield running


def replaced(server: Server, worker: psutil.Process) -> psutil.Process:
    """The worker that comes within 8 s for one that is killed; BentoML looks every 10."""
    worker.kill()
    began = time.monotonic()
    assert eventually(lambda: workers(server) not in ([], [worker]))
    assert time.monotonic() - began < 8
    [other] = workers(server)
    return other


def test_workers_that_die_are_soon_replaced_in_a_container(server: Server) -> None:
    [worker] = workers(server)
    # The second one dies just after a look for dead ones: the next is a whole turn away.
    assert len({worker, other := replaced(server, worker), replaced(server, other)}) == 3
