"""A process and what it has started, while any of them may end at any moment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psutil

T = TypeVar("T")


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs: a zombie does not, and one that was reaped since it was listed neither."""
    return bool(of_each([process], lambda each: each.status() != psutil.STATUS_ZOMBIE) == [True])


def family(pid: int) -> list[psutil.Process]:
    """The process and its descendants; none where it is gone."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def of_each(processes: list[psutil.Process], read: Callable[[psutil.Process], T]) -> list[T]:
    """What is read of each, without those that have ended since they were listed."""
    found = []
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            found.append(read(each))
    return found


def memory(pid: int) -> int:
    """Bytes that a process and its descendants hold."""
    return sum(of_each(family(pid), lambda each: int(each.memory_info().rss)))


def open_files(pid: int) -> int:
    """How many files a process and its descendants have open."""
    return sum(of_each(family(pid), lambda each: int(each.num_fds())))
