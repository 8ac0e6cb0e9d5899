"""Attempts at a window beside each other: the same result, in slots that nobody waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from typing import Any

import pytest
import torch

from models.engine.decoding.attempts import Attempt
from models.engine.decoding.sequence import DecodingResult, Sequence, Window
from models.engine.device.engine_config import EngineConfig
from models.engine.engine import Engine
from models.engine.scheduler import Scheduler
from models.engine.start import start_engine
from tests.tiny import tiny_weights

LADDER = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Tokens at which attempts are broken off here, to be soon over.
LONGEST = 24
Accept = Callable[[DecodingResult], bool]


def started(slots: int, dtype: str = "float32") -> Engine:
    config = EngineConfig(device="cpu", dtype=dtype, slots=slots, encode_batch=1)
    return start_engine(tiny_weights(), config)


@pytest.fixture(scope="module", params=["float32", "int8"])
def engines(request: pytest.FixtureRequest) -> Iterator[tuple[Engine, Engine]]:
    """One that makes attempts one after another, and one with room for all."""
    with closing(started(1, request.param)) as alone, closing(started(8, request.param)) as wide:
        yield alone, wide


def is_long(tokens: Any, _: float) -> bool:
    return len(tokens) >= LONGEST


def window(seed: int, accept: Accept = lambda _: False, **options: Any) -> Window:
    options = {"is_hopeless": is_long, **options}
    mel = torch.randn(80, 3000, generator=torch.Generator().manual_seed(seed))
    return Window(
        request="r", audio=mel, language="en", temperatures=LADDER, accept=accept, **options
    )


@pytest.mark.parametrize("good", [(), (0.2,), (0.4, 0.8), (0.6, 0.8, 1.0), (1.0,)])
def test_beside_each_other_they_give_what_they_give_one_after_another(
    engines: tuple[Engine, Engine], good: tuple[float, ...]
) -> None:
    alone, wide = (
        engine.submit(window(3, lambda r: r.temperature in good, word_timestamps=True)).result(60)
        for engine in engines
    )

    assert alone.temperature == (good[0] if good else alone.temperature)
    assert (wide.tokens, wide.temperature) == (alone.tokens, alone.temperature)
    assert wide.starts == alone.starts
    assert wide.logprobs == pytest.approx(alone.logprobs, abs=1e-4)
    assert wide.min_logprob == pytest.approx(alone.min_logprob, abs=1e-4)


def test_they_take_fewer_steps() -> None:
    steps = []
    for slots in (1, 8):
        with closing(started(slots)) as engine:
            engine.submit(window(3)).result(60)
            steps.append(engine.counters.steps)
            assert engine.scheduler.busy == 0
            assert engine.counters.fallbacks == len(LADDER) - 1
            assert max(engine.counters.batch_sizes) == min(slots, len(LADDER) - 1)
    assert 2 * steps[1] < steps[0]


def test_windows_at_once_have_their_own_results(engines: tuple[Engine, Engine]) -> None:
    alone, wide = engines
    expected = [alone.submit(window(seed)).result(60) for seed in range(4)]

    futures = [wide.submit(window(seed)) for seed in range(4)]
    found = [future.result(60) for future in futures]

    assert [each.tokens for each in found] == [each.tokens for each in expected]
    assert wide.scheduler.busy == 0


def test_one_without_hope_is_broken_off(engines: tuple[Engine, Engine]) -> None:
    asked: list[int] = []
    logprobs: list[float] = []

    def is_hopeless(tokens: Any, logprob: float) -> bool:
        asked.append(len(tokens))
        logprobs.append(logprob)
        return is_long(tokens, logprob)

    for engine in engines:
        asked.clear()
        logprobs.clear()
        broken = engine.submit(window(3, is_hopeless=is_hopeless)).result(60)
        assert asked.count(8) == asked.count(16) == asked.count(24) == len(LADDER)
        assert len(asked) == 3 * len(LADDER)
        # The first is not given up for being improbable.
        assert [logprob == 0 for logprob in logprobs].count(True) == 3
        assert (len(broken.tokens), broken.is_whole) == (LONGEST, False)


def rows_of(scheduler: Scheduler, *, background: bool = False) -> tuple[Sequence, list[Sequence]]:
    """A window that decodes its second attempt, with later ones beside it where there is room."""
    sequence = Sequence(window(0, lane="background" if background else "short"), Future(), "en")
    scheduler.add(sequence)
    for encoding in scheduler.schedule().encodings:
        scheduler.encoded(encoding)
    sequence.begin()
    beside = []
    while sequence.attempts.are_left and scheduler.has_spare_slot(sequence):
        beside.append(sequence.fork())
        scheduler.join(beside[-1])
    return sequence, beside


@pytest.mark.parametrize(("background", "rows"), [(False, 4), (True, 3)])
def test_rows_beside_take_free_slots_and_leave_some_to_short_recordings(
    background: bool, rows: int
) -> None:
    scheduler = Scheduler(slots=5, encode_batch=1)
    sequence, beside = rows_of(scheduler, background=background)
    assert len(beside) == rows
    assert [row.attempt for row in (sequence, *beside)] == [1, 2, 3, 4, 5][: rows + 1]
    assert scheduler.schedule().prefill == sorted((sequence, *beside), key=lambda s: s.slot or 0)


def test_rows_beside_give_way_to_windows_that_wait_and_are_made_later() -> None:
    scheduler = Scheduler(slots=5, encode_batch=1)
    sequence, beside = rows_of(scheduler)
    others = [Sequence(window(n), Future(), "en") for n in range(2)]
    for other in others:
        scheduler.add(other)

    assert not scheduler.has_spare_slot(sequence)
    plan = scheduler.schedule()

    assert plan.encodings[0].sequences == others[:1]
    assert [row.slot for row in beside[2:]] == [None, None]
    assert sequence.attempts.rows == [sequence, *beside[:2]]
    assert [sequence.attempts.begin() for _ in range(2)] == [4, 5]


def test_no_window_waits_for_rows_beside_others_and_none_of_these_loses_its_first() -> None:
    scheduler = Scheduler(slots=5, encode_batch=1)
    sequence, _ = rows_of(scheduler)
    others = [Sequence(window(n), Future(), "en") for n in range(9)]
    for other in others:
        scheduler.add(other)
    while encodings := scheduler.schedule().encodings:
        scheduler.encoded(encodings[0])

    assert sequence.attempts.rows == [sequence]
    assert scheduler.running == [sequence, *others[:4]]


def test_a_cancelled_window_leaves_with_all_its_rows_and_counts_once() -> None:
    scheduler = Scheduler(slots=5, encode_batch=1)
    sequence, _ = rows_of(scheduler)
    sequence.future.cancel()
    assert scheduler.schedule().is_empty
    assert (scheduler.busy, scheduler.dropped) == (0, 1)


def test_a_failed_window_leaves_with_all_its_rows() -> None:
    scheduler = Scheduler(slots=5, encode_batch=1)
    sequence, _ = rows_of(scheduler)
    sequence.settle(RuntimeError())
    assert scheduler.schedule().is_empty
    assert (scheduler.busy, scheduler.dropped) == (0, 0)


def test_what_fails_behind_the_one_accepted_does_not_count() -> None:
    """It is made or not, as slots allow: the result must not depend on it."""
    results = {
        number: DecodingResult(
            language="en",
            tokens=(number,),
            logprobs=(0.0,),
            text="",
            avg_logprob=logprob,
            no_speech_prob=0.0,
            temperature=LADDER[number],
            compression_ratio=1.0,
        )
        for number, logprob in enumerate((-1.5, -1.2, -0.5, -4.0))
    }
    attempts = Sequence(window(0), Future(), "en").attempts
    for number in (0, 3, 1):
        attempts.fail(number, Attempt(results[number], []))
    assert attempts.accept(2, Attempt(results[2], [])) == []
    assert attempts.best().result.tokens == (2,)
    assert attempts.best().result.min_logprob == -1.5
