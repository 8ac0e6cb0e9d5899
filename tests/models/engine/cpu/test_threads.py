"""Cores are taken by one thread, and left to the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from models.engine.cpu.threads import cores, in_passing, take_cores


def test_cores_are_taken_for_one_thread_alone() -> None:
    before = cores()
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        first.submit(take_cores, 1).result()
        second.submit(take_cores, before + 1).result()

        assert first.submit(cores).result() == 1
        assert second.submit(cores).result() == before + 1
    assert cores() == before


def test_work_in_passing_has_its_cores_and_leaves_those_of_the_caller() -> None:
    before = cores()

    assert in_passing(before + 2, cores) == before + 2
    assert cores() == before
    with pytest.raises(ZeroDivisionError):
        in_passing(1, lambda: 1 // 0)
