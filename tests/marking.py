"""Markers by rule: what a test needs is seen from its fixtures, its folder and what it imports."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent
# Folders that have a stage of their own, and what their tests need.
FOLDERS = {
    "browser": {"server", "weights", "slow"},
    "fidelity": {"weights", "slow"},
    "image": {"server", "weights", "slow"},
    "operation": {"server", "weights", "slow"},
    "soak": {"server", "weights", "slow"},
    "wire": {"server", "weights", "slow"},
}
# Folders and files of minutes, which the quick tests do without.
SLOW = (
    "bulk/runners/test_servers.py",
    "bulk/test_killed.py",
    "bulk/test_local.py",
    "cli",
    "deploy",
    "scripts",
    "test_marking.py",
    "models/audio/load/test_film.py",
    "models/audio/sandbox",
    "models/audio/vad",
    "models/checkpoints/sources",
    "models/engine/cuda_graphs/test_graph_backend.py",
    "models/engine/decoding/test_attempts.py",
    "models/engine/device/test_torch_subprocess.py",
    "models/engine/loading",
    "models/engine/static_step/test_plain_step.py",
    "models/engine/test_optional_rooms.py",
    "models/engine/test_out_of_memory.py",
    "models/transcription/test_parallel.py",
    "models/transcription/test_transcriber.py",
)
# Where a test takes a sound or a network through one case after another: the first one is quick.
FIRST_CASES = ("models/audio", "models/engine", "models/transcription")
# By module and name: to import them takes as long as a hundred tests.
STARTERS = tuple(
    ("tests.server", each) for each in ("serving", "serving_over_tls", "failing_start")
)
FETCH = ("tests.realweights", "checkpoint_directory")
# Why a test is skipped that needs a GPU.
NO_GPU = "there is no GPU"


class Marking:
    """A plugin that marks tests, and fails one that starts a server and has not the marker."""

    def __init__(self) -> None:
        self._running: pytest.Item | None = None
        self._unmarked: list[str] = []
        self._cases: set[str] = set()
        sys.addaudithook(self._audit)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Mark it, before markers choose."""
        for name in sorted(needs(item)):
            item.add_marker(name)
        case = item.nodeid.partition("[")[0]
        if case in self._cases and lies_in(item.path, FIRST_CASES):
            item.add_marker("slow")
        self._cases.add(case)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Say whose the processes are that start now."""
        self._running = item
        try:
            return (yield)
        finally:
            self._running = None

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self) -> None:
        """Fail a test that started a server without the marker."""
        unmarked, self._unmarked = self._unmarked, []
        if unmarked:
            pytest.fail(f"starts a server, and is not marked so: {', '.join(unmarked)}")

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "subprocess.Popen" or self._running is None:
            return
        command = {os.fsdecode(each) for each in arguments[1]}
        if {"bentoml", "serve"} <= command and not self._running.get_closest_marker("server"):
            self._unmarked.append(self._running.nodeid)


def needs(item: pytest.Item) -> set[str]:
    """The markers of a test, by what it reaches."""
    found: set[str] = set()
    for folder, needed in FOLDERS.items():
        if lies_in(item.path, (folder,)):
            found |= needed
    if lies_in(item.path, SLOW):
        found.add("slow")
    if _reaches(item, *STARTERS):
        found |= {"server", "weights"}
    if "weights" in getattr(item, "fixturenames", ()) or _reaches(item, FETCH):
        found.add("weights")
    if any(mark.kwargs.get("reason") == NO_GPU for mark in item.iter_markers("skipif")):
        found.add("gpu")
    return found


@cache
def lies_in(path: Path, folders: tuple[str, ...]) -> bool:
    """Whether a file is in one of these folders of the tests; asked for every test in it."""
    return any(path.is_relative_to(TESTS / folder) for folder in folders)


def _reaches(item: pytest.Item, *functions: tuple[str, str]) -> bool:
    """Whether one of them stands in the module of a test, or in that of a fixture of it."""
    if not isinstance(item, pytest.Function):
        return False
    fixtures = item._fixtureinfo.name2fixturedefs.values()  # noqa: SLF001
    modules = [vars(item.module), *(each.func.__globals__ for some in fixtures for each in some)]
    return any(
        getattr(each.get(name), "__module__", None) == module
        for each in modules
        for module, name in functions
    )
