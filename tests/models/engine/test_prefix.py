"""Forced prefixes: text that is fed and not chosen gives the text that would have been chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from models.engine.cuda_graphs.graph_backend import GraphBackend
from models.engine.cuda_graphs.launcher import DirectLauncher
from models.engine.decoding.sequence import DecodingResult, Prefix, Window
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.device.engine_config import EngineConfig
from models.engine.engine import Engine
from models.engine.loading.load_network import load_network
from models.engine.network.precision import resolve_precision
from models.engine.start import start_engine
from models.request_stats import RequestStats
from tests.tiny import TINY, tiny_weights

SLOTS = 4
CPU = torch.device("cpu")


def static_engine() -> Engine:
    """Static shapes, as CUDA graphs have them, computed on the CPU."""
    precision = resolve_precision("float32", CPU)
    backend = GraphBackend(
        load_network(tiny_weights(), CPU, precision),
        Vocabulary(TINY),
        precision,
        DirectLauncher(),
        slots=SLOTS,
        encode_batch=2,
    )
    return Engine(backend, slots=SLOTS, encode_batch=2)


def plain_engine(dtype: Any) -> Engine:
    return start_engine(tiny_weights(), EngineConfig(device="cpu", dtype=dtype, slots=SLOTS))


@pytest.fixture(scope="module", params=["float32", "int8", "static"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    running = static_engine() if request.param == "static" else plain_engine(request.param)
    yield running
    running.close()


def window(seed: int, **options: Any) -> Window:
    mel = torch.randn(80, 3000, generator=torch.Generator().manual_seed(seed))
    return Window(str(seed), mel, **{"language": "en", "word_timestamps": True, **options})


def begun(result: DecodingResult, tokens: int) -> Prefix:
    """The first tokens of a text."""
    return Prefix(result.tokens[:tokens], result.logprobs[:tokens])


@pytest.mark.parametrize("tokens", [1, 2, 20, 90])
def test_a_text_goes_on_as_it_began(engine: Engine, tokens: int) -> None:
    free = engine.submit(window(0)).result(60)
    assert len(free.tokens) > 90
    forced = engine.submit(window(0, prefix=begun(free, tokens))).result(60)

    assert forced.tokens == free.tokens
    assert forced.logprobs == pytest.approx(free.logprobs, abs=1e-3)
    assert forced.avg_logprob == pytest.approx(free.avg_logprob, abs=1e-3)
    assert forced.no_speech_prob == pytest.approx(free.no_speech_prob, abs=1e-4)
    assert forced.text == free.text


def test_its_words_have_the_same_times(engine: Engine) -> None:
    free = engine.submit(window(0)).result(60)
    forced = engine.submit(window(0, prefix=begun(free, 40))).result(60)

    assert len(free.starts) > 40
    # What is added up in another order may tip a path over by a position.
    off = [abs(a - b) > 0.021 for a, b in zip(forced.starts, free.starts, strict=True)]
    assert sum(off) <= len(off) // 20


def test_any_text_may_be_a_prefix_and_is_decoded_behind(engine: Engine) -> None:
    begin = engine.vocabulary.timestamp_begin
    prefix = Prefix((begin, *engine.vocabulary.encode(" Ask not what")), (-0.5,) * 4)
    result = engine.submit(window(1, prefix=prefix)).result(60)

    assert result.tokens[:4] == prefix.tokens
    assert result.logprobs[:4] == prefix.logprobs
    assert result.text.startswith("Ask not what")
    assert len(result.tokens) > 4


def test_windows_with_prefixes_and_without_run_together(engine: Engine) -> None:
    alone = [engine.submit(window(seed)).result(60) for seed in range(6)]
    prefixes = [begun(result, 7 * (n % 3)) for n, result in enumerate(alone)]
    futures = [engine.submit(window(n, prefix=prefix)) for n, prefix in enumerate(prefixes)]

    assert [each.result(60).tokens for each in futures] == [each.tokens for each in alone]


def test_with_history_before_it(engine: Engine) -> None:
    previous = tuple(range(300, 340))
    free = engine.submit(window(2, previous=previous)).result(60)
    forced = engine.submit(window(2, previous=previous, prefix=begun(free, 30))).result(60)

    assert forced.tokens == free.tokens


def test_every_attempt_begins_with_it(engine: Engine) -> None:
    prefix = begun(engine.submit(window(3)).result(60), 10)
    tried: list[DecodingResult] = []

    def accept(result: DecodingResult) -> bool:
        tried.append(result)
        return False

    ladder = (0.0, 0.5, 1.0)
    engine.submit(window(3, prefix=prefix, temperatures=ladder, accept=accept)).result(60)

    assert sorted(result.temperature for result in tried) == list(ladder)
    assert {result.tokens[:10] for result in tried} == {prefix.tokens}
    assert len({result.tokens for result in tried}) == 3


def test_it_is_fed_at_once_and_is_not_counted_as_decoded(engine: Engine) -> None:
    free = engine.submit(window(4)).result(60)
    prefix = begun(free, len(free.tokens) - 8)
    stats = RequestStats()
    before = engine.state().counters
    engine.submit(window(4, prefix=prefix, stats=stats)).result(60)
    after = engine.state().counters

    assert stats.tokens == after.tokens - before.tokens == 8
    # Some backends take several steps at once.
    assert sum(after.batch_sizes.values()) - sum(before.batch_sizes.values()) <= 12


@pytest.mark.parametrize(
    "options",
    [
        {"language": None, "prefix": Prefix((50_364, 5), (0.0, 0.0))},
        {"prefix": Prefix((50_364,) * 96, (0.0,) * 96)},
        {"prefix": Prefix((50_364, 5), (0.0,))},
    ],
    ids=["no language", "too long", "no logprobs"],
)
def test_what_would_fail_in_a_step_is_refused(engine: Engine, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="prefix"):
        engine.submit(window(0, **options))
