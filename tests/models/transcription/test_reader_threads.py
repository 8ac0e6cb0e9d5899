"""Reader threads: how many recordings are read at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier, BrokenBarrierError

import pytest

from models.transcription.reader_threads import ReaderThreads


def do_together(threads: ThreadPoolExecutor, count: int, patience: float) -> bool:
    """Whether so many can be under way at the same time."""
    meeting = Barrier(count)
    work = [threads.submit(meeting.wait, patience) for _ in range(count)]
    return not any(isinstance(each.exception(), BrokenBarrierError) for each in work)


@pytest.fixture(params=[(0, 2), (2, 2), (4, 2), (6, 3), (64, 4)], ids="{0[0]} cores".format)
def readers(request: pytest.FixtureRequest) -> Iterator[tuple[ReaderThreads, int]]:
    cores, expected = request.param
    with closing(ReaderThreads(cores)) as readers:
        yield readers, expected


@pytest.mark.parametrize("which", ["first", "ahead"])
def test_half_of_the_cores_read_but_two_at_least_and_four_at_most(
    readers: tuple[ReaderThreads, int], which: str
) -> None:
    threads, expected = getattr(readers[0], which), readers[1]

    assert do_together(threads, expected, patience=20)
    assert not do_together(threads, expected + 1, patience=0.2)
