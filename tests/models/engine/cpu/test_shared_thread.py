"""Engines that compute in one thread, in turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from itertools import groupby

import pytest
import torch

from models.engine.cpu.shared_thread import SharedThread
from models.engine.decoding.sequence import Window
from models.engine.device.engine_config import EngineConfig
from models.engine.start import start_engine
from tests.tiny import tiny_weights

ROUNDS = 200


def together(*work: threading.Thread) -> None:
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(60)
        assert not thread.is_alive()


def test_all_is_done_in_one_thread_without_gradients() -> None:
    cpu = SharedThread()
    found: list[tuple[int, bool]] = []

    def compute() -> None:
        for _ in range(ROUNDS):
            cpu.run(
                lambda: found.append((threading.get_ident(), torch.is_inference_mode_enabled()))
            )

    together(*(threading.Thread(target=compute) for _ in range(4)))

    assert len(found) == 4 * ROUNDS
    assert len(set(found)) == 1
    assert found[0][0] != threading.get_ident()
    assert found[0][1]


def test_who_wants_the_next_turn_gets_it_before_who_had_this_one() -> None:
    cpu, order = SharedThread(), []
    started = threading.Barrier(2)

    def turn(name: str) -> None:
        order.append(name)
        # Long enough for the other to ask.
        threading.Event().wait(0.001)

    def compute(name: str) -> None:
        started.wait()
        for _ in range(ROUNDS):
            cpu.run(lambda: turn(name))

    together(*(threading.Thread(target=compute, args=(name,)) for name in "ab"))

    runs = [len(list(run)) for _, run in groupby(order)]
    # But for the ends, where one is alone or late.
    assert sorted(runs)[len(runs) // 2] == 1
    assert len(runs) > ROUNDS


def test_what_the_work_returns_or_raises_comes_back() -> None:
    cpu = SharedThread()

    with pytest.raises(ZeroDivisionError):
        cpu.run(lambda: 1 // 0)
    assert cpu.run(lambda: 6 * 7) == 42


def test_it_is_wanted_while_other_work_waits() -> None:
    cpu, told = SharedThread(), []

    def keep_on() -> None:
        told.append(cpu.is_wanted)
        other.start()
        while not cpu.is_wanted:
            pass

    other = threading.Thread(target=cpu.run, args=(lambda: told.append(cpu.is_wanted),))
    together(threading.Thread(target=cpu.run, args=(keep_on,)))
    other.join(60)

    assert told == [False, False]


def test_an_engine_keeps_the_thread_until_another_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, turns = SharedThread(), []
    run, config = cpu.run, EngineConfig(device="cpu", threads=1)

    def counted(work: Callable[[], None]) -> None:
        turns.append(work)
        run(work)

    monkeypatch.setattr(cpu, "run", counted)
    one, two = (start_engine(tiny_weights(), config, cpu) for _ in range(2))
    window = Window("r", torch.randn(80, 3000), language="en")

    one.submit(window).result(60)
    alone, steps = len(turns), one.counters.steps
    for future in [engine.submit(window) for engine in (one, two)]:
        future.result(60)
    for engine in (one, two):
        engine.close()

    assert 10 * alone < steps
    assert 2 * (len(turns) - alone) > one.counters.steps - steps + two.counters.steps


def test_lent_cores_come_back() -> None:
    cpu, seen = SharedThread(), []

    def fail() -> None:
        with cpu.reserving(1):
            seen.append(cpu.reserved)
            raise ZeroDivisionError

    with cpu.reserving(2):
        with pytest.raises(ZeroDivisionError):
            fail()
        seen.append(cpu.reserved)

    assert [*seen, cpu.reserved] == [3, 2, 0]


def test_an_engine_computes_on_what_is_not_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.engine.cpu.contention.others_seconds", lambda: None)
    cpu, cores = SharedThread(), []

    def choose(probs: Mapping[str, float]) -> str:
        cores.append(torch.get_num_threads())
        return "en"

    engine = start_engine(tiny_weights(), EngineConfig(device="cpu", threads=3), cpu)
    window = Window("r", torch.zeros(80, 3000), choose_language=choose, detects_only=True)
    for lent in (1, 0, 5):
        with cpu.reserving(lent):
            engine.submit(window).result(60)
    engine.close()

    assert cores == [2, 3, 1]
