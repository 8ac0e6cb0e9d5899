"""Engines that compute in turn."""

from __future__ import annotations

import threading
from itertools import groupby

import pytest

from models.engine.fair_lock import FairLock

ROUNDS = 200


def together(*work: threading.Thread) -> None:
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(60)
        assert not thread.is_alive()


def test_only_one_has_the_turn() -> None:
    lock, inside, most = FairLock(), 0, []

    def compute() -> None:
        nonlocal inside
        for _ in range(ROUNDS):
            with lock:
                inside += 1
                most.append(inside)
                inside -= 1

    together(*(threading.Thread(target=compute) for _ in range(4)))

    assert most == [1] * (4 * ROUNDS)


def test_who_wants_the_next_turn_gets_it_before_who_had_this_one() -> None:
    lock, order = FairLock(), []
    started = threading.Barrier(2)

    def compute(name: str) -> None:
        started.wait()
        for _ in range(ROUNDS):
            with lock:
                order.append(name)
                # Long enough for the other to ask.
                threading.Event().wait(0.001)

    together(*(threading.Thread(target=compute, args=(name,)) for name in "ab"))

    runs = [len(list(run)) for _, run in groupby(order)]
    # But for the ends, where one is alone or late.
    assert sorted(runs)[len(runs) // 2] == 1
    assert len(runs) > ROUNDS


def test_a_fault_hands_the_turn_on() -> None:
    lock = FairLock()

    with pytest.raises(ZeroDivisionError), lock:
        raise ZeroDivisionError
    with lock:
        pass
