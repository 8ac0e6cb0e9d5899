"""The engine on a device without memory for large batches: nothing is lost, fewer run at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from models.engine.decoding.attempts import Attempt
from models.engine.decoding.sequence import DecodingResult, Window
from models.engine.decoding.sequence import Sequence as Row
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.device import oom_backoff
from models.engine.engine import Engine
from models.engine.loading.load_network import load_network
from models.engine.network.plain_backend import PlainBackend
from models.engine.network.precision import resolve_precision
from models.errors import OverloadedError
from tests.tiny import TINY, tiny_weights

CPU = torch.device("cpu")
MEL = [torch.randn(80, 3000, generator=torch.Generator().manual_seed(seed)) for seed in range(6)]


class SmallBackend(PlainBackend):
    """Has memory for so many windows to be encoded at once, and for so many rows at each stage."""

    def __init__(
        self,
        *,
        windows: int = 8,
        prompts: int = 8,
        rows: int = 8,
        choices: int = 8,
        alignments: int = 8,
    ) -> None:
        precision = resolve_precision("float32", CPU)
        network = load_network(tiny_weights(), CPU, precision)
        super().__init__(network, Vocabulary(TINY), precision, slots=4, padding="full")
        self.windows, self.prompts, self.rows, self.choices = windows, prompts, rows, choices
        self.alignments = alignments
        self.on_host = False

    def encode(self, sequences: Sequence[Row]) -> Iterator[None]:
        """Fails between two layers, with a part of the work done."""
        stages = super().encode(sequences)
        yield next(stages)
        needs(len(sequences), self.windows)
        yield from stages

    def prefill(self, sequences: Sequence[Row]) -> torch.Tensor:
        """Fails before anything is written."""
        needs(len(sequences), self.prompts)
        return super().prefill(sequences)

    def decode(self, sequences: Sequence[Row]) -> torch.Tensor:
        """Fails when all is written."""
        logits = super().decode(sequences)
        needs(len(sequences), self.rows)
        return logits

    def choose(self, logits: torch.Tensor, sequences: Sequence[Row]) -> Any:
        """Fails when prompts and rows have been fed."""
        needs(len(sequences), self.choices)
        return super().choose(logits, sequences)

    def align(self, attempts: Sequence[tuple[Window, Attempt]]) -> list[tuple[float, ...]]:
        """Fails on the device; what is asked for once more is asked of the host."""
        self.on_host = not self.on_host and len(attempts) > self.alignments
        needs(self.on_host, 0)
        return super().align(attempts)


def needs(wanted: int, there_is: int) -> None:
    if wanted > there_is:
        raise torch.OutOfMemoryError("CUDA out of memory.")


@contextmanager
def engine(**memory: int) -> Iterator[Engine]:
    running = Engine(SmallBackend(**memory), slots=4, encode_batch=4)
    yield running
    running.close()


def windows(count: int = 6, **options: Any) -> list[Window]:
    return [Window(request=str(seed), audio=MEL[seed], **options) for seed in range(count)]


@pytest.fixture(scope="module")
def undisturbed() -> list[DecodingResult]:
    with engine() as running:
        return [running.submit(window).result(60) for window in windows(word_timestamps=True)]


@pytest.mark.parametrize(
    "memory",
    [
        {"windows": 2},
        {"windows": 1},
        {"prompts": 1},
        {"rows": 2},
        {"rows": 1},
        {"choices": 1},
        {"alignments": 0},
        {"windows": 1, "prompts": 1, "rows": 1, "choices": 1, "alignments": 0},
    ],
    ids=str,
)
def test_windows_get_their_results_in_smaller_batches(
    memory: dict[str, int], undisturbed: list[DecodingResult]
) -> None:
    with engine(**memory) as running:
        futures = [running.submit(window) for window in windows(word_timestamps=True)]
        results = [future.result(60) for future in futures]

    assert [result.tokens for result in results] == [result.tokens for result in undisturbed]
    assert [result.starts for result in results] == [result.starts for result in undisturbed]
    assert [result.language for result in results] == [each.language for each in undisturbed]
    assert running.counters.out_of_memory > 0
    assert running.scheduler.is_idle


@pytest.mark.parametrize("stage", ["windows", "prompts", "rows", "choices"])
def test_without_memory_for_one_window_it_fails_and_says_when_to_come_again(stage: str) -> None:
    with engine(**{stage: 0}) as running:
        for future in [running.submit(window) for window in windows()]:
            with pytest.raises(OverloadedError, match="no memory") as failure:
                future.result(60)
            assert failure.value.retry_after > 0

    assert running.scheduler.is_idle


def test_after_a_lone_failure_the_engine_serves_the_next(
    undisturbed: list[DecodingResult],
) -> None:
    with engine() as running:
        backend: Any = running.backend
        backend.windows = 0
        with pytest.raises(OverloadedError):
            running.submit(windows()[0]).result(60)
        backend.windows = 1

        assert running.submit(windows()[0]).result(60).tokens == undisturbed[0].tokens


def test_cancelled_window_is_not_encoded_again(undisturbed: list[DecodingResult]) -> None:
    with engine(windows=1) as running:
        futures = [running.submit(window) for window in windows()]
        futures[1].cancel()
        kept = [future.result(60).tokens for future in futures if not future.cancelled()]

    assert kept == [result.tokens for n, result in enumerate(undisturbed) if n != 1]
    assert running.scheduler.is_idle


def test_limit_is_halved_and_grows_again_after_long_without_a_failure() -> None:
    limit = oom_backoff.BatchBackoff(8)

    def sizes(count: int) -> list[int]:
        found = []
        for _ in range(count):
            limit.fitted()
            found.append(limit.now)
        return found

    limit.ran_out(8)
    limit.ran_out(limit.now)
    assert limit.now == 2
    assert set(sizes(oom_backoff.PATIENCE - 1)) == {2}
    assert sizes(1) == [4]
    limit.ran_out(3)
    assert limit.now == 1
    limit.ran_out(1)
    assert limit.now == 1
    assert sizes(4 * oom_backoff.PATIENCE)[-1] == 8
