"""The engine on a tiny random checkpoint: batches, cancellation, fallback, faults."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
import torch

from models.engine.counters import EngineCounters
from models.engine.cpu.threads import cores
from models.engine.decoding.sequence import DecodingResult, Sequence, Window
from models.engine.device.engine_config import EngineConfig
from models.engine.engine import Engine
from models.engine.scheduler import Scheduler
from models.engine.start import start_engine
from models.engine.stepper import Stepper
from models.errors import DecodingError, DeviceError, EngineStoppedError
from models.request_stats import RequestStats
from tests.tiny import tiny_weights

CONFIG = EngineConfig(device="cpu", slots=3, encode_batch=2)


@pytest.fixture
def engine() -> Iterator[Engine]:
    weights = tiny_weights()
    engine = start_engine(weights, CONFIG)
    yield engine
    engine.close()


def window(seed: int, request: str = "r", **options: object) -> Window:
    mel = torch.randn(80, 3000, generator=torch.Generator().manual_seed(seed))
    return Window(request=request, audio=mel, **options)  # type: ignore[arg-type]


def test_on_a_cpu_the_engine_leaves_no_thread_to_others(engine: Engine) -> None:
    assert engine.spare_threads == 0


@pytest.mark.slow
def test_submit_batch_gives_each_its_own_result(engine: Engine) -> None:
    alone = [engine.submit(window(seed)).result(60) for seed in range(5)]

    futures = [engine.submit(window(seed, request=str(seed))) for seed in range(5)]
    together = [future.result(60) for future in futures]

    assert [result.tokens for result in together] == [result.tokens for result in alone]
    assert [result.language for result in together] == [result.language for result in alone]
    assert len({result.tokens for result in alone}) == 5
    assert max(engine.counters.batch_sizes) == 3


def test_state_and_usage_tell_what_was_done(engine: Engine) -> None:
    usages = [RequestStats(), RequestStats()]
    windows = [window(seed, language="en", stats=usages[seed % 2]) for seed in range(6)]
    futures = [engine.submit(window) for window in windows]
    busy = engine.state()
    results = [future.result(60) for future in futures]

    assert busy.waiting + busy.running > 0
    idle = engine.state()
    assert (idle.waiting, idle.running, idle.slots) == (0, 0, CONFIG.slots)
    assert idle.counters.windows == 6
    assert idle.counters.tokens == sum(len(result.tokens) for result in results)
    for parity, stats in enumerate(usages):
        own = results[parity::2]
        assert stats.windows == 3
        assert stats.tokens == sum(len(result.tokens) for result in own)
        assert stats.stages["encode"].seconds > 0
        assert stats.stages["decode"].seconds > 0


def test_a_cancelled_window_has_left_its_stage(engine: Engine) -> None:
    stats = RequestStats()
    futures = [engine.submit(window(seed, stats=stats)) for seed in range(8)]
    for future in futures:
        future.cancel()
    engine.submit(window(9)).result(60)

    assert stats.stages["queue"].began is not None
    before = [stage.seconds for stage in stats.stages.values()]
    stats.enter(None, None)
    assert [stage.seconds for stage in stats.stages.values()] == before


def test_submit_known_language_skips_detection(engine: Engine) -> None:
    detected = engine.submit(window(1)).result(60)
    given = engine.submit(window(1, language=detected.language)).result(60)

    assert detected.language_probs is not None
    assert sum(detected.language_probs.values()) == pytest.approx(1, abs=1e-4)
    assert max(detected.language_probs, key=detected.language_probs.__getitem__) == given.language
    assert given.language_probs is None
    assert given.tokens == detected.tokens


def test_submit_mixed_prompts_do_not_touch_each_other(engine: Engine) -> None:
    prompts = [(), tuple(range(100, 150)), tuple(range(300))]
    windows = [window(9, language="en", previous=previous) for previous in prompts]
    alone = [engine.submit(window).result(60).tokens for window in windows]

    futures = [engine.submit(window) for window in windows]

    assert [future.result(60).tokens for future in futures] == alone


def test_submit_text_ends_at_the_context_limits(engine: Engine) -> None:
    n_text_ctx = engine.vocabulary.dims.n_text_ctx
    free = engine.submit(window(3, language="en")).result(60)
    crowded = engine.submit(window(3, language="en", previous=tuple(range(300)))).result(60)

    assert len(free.tokens) <= n_text_ctx // 2
    assert len(crowded.tokens) <= n_text_ctx + 1 - len(crowded_prompt(engine))


def crowded_prompt(engine: Engine) -> tuple[int, ...]:
    return engine.vocabulary.prompt("en", "transcribe", tuple(range(300)))


def test_submit_rejected_result_falls_back_without_a_second_encoding(engine: Engine) -> None:
    tried: list[float] = []

    def accept(result: DecodingResult) -> bool:
        tried.append(result.temperature)
        return result.temperature >= 0.4

    result = engine.submit(window(2, temperatures=(0.0, 0.2, 0.4, 0.6), accept=accept)).result(60)

    assert tried == [0.0, 0.2, 0.4]
    assert result.temperature == 0.4
    assert engine.counters.fallbacks == 2
    assert engine.counters.windows == 1


@pytest.mark.slow
def test_submit_where_all_fail_the_preferred_one_is_taken(engine: Engine) -> None:
    failing: dict[str, Any] = {"temperatures": (0.0, 1.0), "accept": lambda _: False}
    alone = [engine.submit(window(2, temperatures=(t,))).result(60) for t in (0.0, 1.0)]

    likeliest = engine.submit(window(2, **failing)).result(60)
    hottest = engine.submit(window(2, prefer=lambda r: (r.temperature,), **failing)).result(60)

    assert (likeliest.temperature, hottest.temperature) == (0.0, 1.0)
    assert likeliest.tokens == alone[0].tokens
    assert likeliest.min_logprob == hottest.min_logprob == hottest.avg_logprob


def test_submit_same_audio_at_a_temperature_gives_the_same_text(engine: Engine) -> None:
    first = engine.submit(window(4, temperatures=(0.8,))).result(60)
    futures = [engine.submit(window(seed, temperatures=(0.8,))) for seed in (5, 4, 6)]

    assert futures[1].result(60).tokens == first.tokens


def test_cancel_frees_the_engine_for_others(engine: Engine) -> None:
    futures = [engine.submit(window(seed)) for seed in range(6)]
    for future in futures[:5]:
        future.cancel()

    assert futures[5].result(60).tokens
    with pytest.raises(CancelledError):
        futures[0].result(1)
    assert engine.counters.cancelled == 5
    assert engine.scheduler.is_idle


@pytest.mark.slow
def test_cancel_of_one_that_is_encoded_with_others_leaves_theirs_as_they_are() -> None:
    with closing(start_engine(tiny_weights(), CONFIG)) as engine:
        alone = [engine.submit(window(seed)).result(60).tokens for seed in range(4)]
    # Nobody but the test makes it step.
    scheduler, counters = Scheduler(slots=3, encode_batch=3), EngineCounters()
    stepper = Stepper(engine.backend, scheduler, counters)
    sequences = [Sequence(window(seed), Future(), None) for seed in range(4)]
    for sequence in sequences:
        scheduler.add(sequence)
    with torch.inference_mode():
        stepper.step()
        sequences[1].future.cancel()
        while not scheduler.is_idle:
            stepper.step()

    results = [sequence.future.result(0) for sequence in sequences if not sequence.is_cancelled]
    assert [result.tokens for result in results] == [alone[0], *alone[2:]]
    assert counters.cancelled == 1


def test_device_names_the_threads_of_the_engine_whoever_asks() -> None:
    config = replace(CONFIG, threads=cores() + 1)
    with closing(start_engine(tiny_weights(), config)) as engine:
        assert f"({cores() + 1} threads" in engine.device


def test_step_fault_fails_its_windows_and_the_engine_goes_on(engine: Engine) -> None:
    wrong_shape = Window(request="r", audio=torch.zeros(80, 17))

    with pytest.raises(DecodingError):
        engine.submit(wrong_shape).result(60)
    assert engine.submit(window(0)).result(60).tokens


def test_fault_of_the_schedule_fails_what_waits_and_the_engine_goes_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(engine.scheduler, "schedule", lambda: 1 / 0)
        with pytest.raises(DecodingError):
            engine.submit(window(0)).result(60)
    assert engine.submit(window(0)).result(60).tokens


@pytest.mark.parametrize(
    ("fault", "losses"), [(None, 0), (torch.OutOfMemoryError, 0), (RuntimeError, 1)]
)
def test_a_device_that_is_lost_is_told_of(
    fault: type[Exception] | None, losses: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ones(*_: object, **__: object) -> torch.Tensor:
        if fault:
            raise fault
        return torch.zeros(1)

    lost: list[bool] = []
    with closing(start_engine(tiny_weights(), CONFIG, on_loss=lambda: lost.append(True))) as engine:
        monkeypatch.setattr(torch, "ones", ones)
        with pytest.raises(DecodingError):
            engine.submit(Window(request="r", audio=torch.zeros(80, 17))).result(60)

    assert len(lost) == losses


def test_accept_fault_fails_the_window_and_the_engine_goes_on(engine: Engine) -> None:
    def accept(_: DecodingResult) -> bool:
        raise ZeroDivisionError

    with pytest.raises(DecodingError):
        engine.submit(window(0, temperatures=(0.0, 0.2), accept=accept)).result(60)
    assert engine.submit(window(0)).result(60).tokens


def test_close_fails_what_waits_and_refuses_more(engine: Engine) -> None:
    futures = [engine.submit(window(seed)) for seed in range(6)]
    engine.close()

    with pytest.raises(EngineStoppedError):
        futures[-1].result(60)
    with pytest.raises(EngineStoppedError):
        engine.submit(window(0))


def test_start_missing_cuda_device_says_what_is_there() -> None:
    weights = tiny_weights()
    with pytest.raises(DeviceError, match="'cuda:99' was asked for, but PyTorch"):
        start_engine(weights, EngineConfig(device="cuda:99"))
