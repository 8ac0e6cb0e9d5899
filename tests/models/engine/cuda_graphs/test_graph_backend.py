"""The backend of static shapes gives what the plain one gives, whatever comes when.

On a GPU, where there is one, as graphs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from models.audio.mel import LogMel
from models.engine.cuda_graphs.graph_backend import GraphBackend
from models.engine.cuda_graphs.graph_decoder import STEPS
from models.engine.cuda_graphs.launcher import DirectLauncher, GraphLauncher
from models.engine.decoding.sequence import DecodingResult, LaneName, Window
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.engine import Engine
from models.engine.loading.load_network import load_network
from models.engine.network.decoder import Network
from models.engine.network.plain_backend import PlainBackend
from models.engine.network.precision import resolve_precision
from tests.tiny import TINY, tiny_weights

HAS_GPU = torch.cuda.is_available()
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not HAS_GPU, reason="there is no GPU")),
]
SLOTS = 5
COUNT = 9
LANES: tuple[LaneName, ...] = ("short", "live", "background")
MEL = [torch.randn(80, 3000, generator=torch.Generator().manual_seed(n)) for n in range(COUNT)]


@contextmanager
def engine(backend: PlainBackend) -> Iterator[Engine]:
    running = Engine(backend, slots=SLOTS, encode_batch=3)
    yield running
    running.close()


def windows(**options: Any) -> list[Window]:
    return [Window(request=str(n), audio=mel, **options) for n, mel in enumerate(MEL)]


def results_of(backend: PlainBackend, **options: Any) -> list[DecodingResult]:
    with engine(backend) as running:
        futures = [running.submit(window) for window in windows(**options)]
        return [future.result(60) for future in futures]


@pytest.fixture(scope="module", params=DEVICES)
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    device = torch.device(request.param)
    # Batches of other sizes are to differ in the last digits alone.
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield load_network(tiny_weights(), device, resolve_precision("float32", device))


def plain_backend(network: Network) -> PlainBackend:
    precision = resolve_precision("float32", network.device)
    return PlainBackend(network, Vocabulary(TINY), precision, slots=SLOTS, padding="full")


def graph_backend_of(network: Network) -> GraphBackend:
    on_gpu = network.device.type == "cuda"
    return GraphBackend(
        network,
        Vocabulary(TINY),
        resolve_precision("float32", network.device),
        GraphLauncher(network.device) if on_gpu else DirectLauncher(),
        slots=SLOTS,
        encode_batch=3,
    )


@pytest.fixture(scope="module")
def plain(network: Network) -> PlainBackend:
    return plain_backend(network)


@pytest.fixture(scope="module")
def static(network: Network) -> GraphBackend:
    return graph_backend_of(network)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"language": "en", "task": "translate"},
        {"language": "en", "previous": tuple(range(200, 330))},
        {"temperatures": (0.0, 0.6), "accept": lambda result: result.temperature > 0},
    ],
    ids=["detected", "translated", "prompted", "drawn"],
)
def test_results_are_those_of_the_plain_backend(
    plain: PlainBackend, static: GraphBackend, options: dict[str, Any]
) -> None:
    expected, found = results_of(plain, **options), results_of(static, **options)

    assert [result.tokens for result in found] == [result.tokens for result in expected]
    assert [result.language for result in found] == [result.language for result in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.logprobs == pytest.approx(theirs.logprobs, abs=1e-4)
        assert ours.no_speech_prob == pytest.approx(theirs.no_speech_prob, abs=1e-5)


def test_long_prompts_are_not_written_over_by_rows_that_have_ended(network: Network) -> None:
    ending = deepcopy(network)
    # So that texts end after a while, each at a time of its own.
    with torch.inference_mode():
        ending.decoder.head.bias[Vocabulary(TINY).eot] += 3.3
    previous = [(), tuple(range(200, 290))]
    temperatures = [(0.0,), (1.0,)]
    mixed = [
        replace(window, previous=previous[n % 3 > 0], temperatures=temperatures[n % 2])
        for n, window in enumerate(windows(language="en") * 2)
    ]

    def texts(backend: PlainBackend) -> list[tuple[int, ...]]:
        with engine(backend) as running:
            futures = [running.submit(window) for window in mixed]
            return [future.result(60).tokens for future in futures]

    expected = texts(plain_backend(ending))
    assert len({len(tokens) for tokens in expected}) > SLOTS
    assert texts(graph_backend_of(ending)) == expected


def test_windows_at_a_temperature_leave_the_others_as_they_are(
    plain: PlainBackend, static: GraphBackend
) -> None:
    def mixed(backend: PlainBackend) -> list[tuple[int, ...]]:
        heat = [(0.0,), (0.7,), (0.0, 0.9)]
        with engine(backend) as running:
            futures = [
                running.submit(
                    replace(
                        window,
                        temperatures=heat[n % 3],
                        accept=lambda result: result.temperature > 0,
                    )
                )
                for n, window in enumerate(windows(language="en"))
            ]
            return [future.result(60).tokens for future in futures]

    found = mixed(static)

    assert found == mixed(plain)
    greedy = [result.tokens for result in results_of(static, language="en")]
    assert found[::3] == greedy[::3]
    assert all(drawn != maximum for drawn, maximum in zip(found[1::3], greedy[1::3], strict=True))


def test_a_row_that_draws_takes_as_many_steps_at_once(static: GraphBackend) -> None:
    heat: dict[str, Any] = {"language": "en", "temperatures": (0.5,)}
    with engine(static) as running:
        before = running.counters.steps
        futures = [running.submit(window) for window in windows(**heat)[:SLOTS]]
        tokens = max(len(future.result(60).tokens) for future in futures)

        assert tokens > 8 * STEPS
        assert running.counters.steps - before < tokens / 2


def test_words_are_timed_as_by_the_plain_backend(plain: PlainBackend, static: GraphBackend) -> None:
    options: dict[str, Any] = {"language": "en", "word_timestamps": True}
    expected, found = results_of(plain, **options), results_of(static, **options)

    assert [result.starts for result in found] == [result.starts for result in expected]
    assert all(result.starts for result in found)


def test_samples_are_heard_as_their_log_mel_whatever_is_beside_them(
    plain: PlainBackend, static: GraphBackend
) -> None:
    noise = np.random.default_rng(0)
    sounds = [noise.normal(0, 0.1, 48_000 * (n + 1)).astype(np.float32) for n in range(COUNT)]
    mels = [LogMel(samples, 80) for samples in sounds]

    def texts(backend: PlainBackend, audio: list[torch.Tensor]) -> list[tuple[int, ...]]:
        with engine(backend) as running:
            sizes = [mel.content(0) for mel in mels]
            submitted = [
                running.submit(Window(str(n), each, frames, language="en"))
                for n, (each, frames) in enumerate(zip(audio, sizes, strict=True))
            ]
            return [future.result(60).tokens for future in submitted]

    expected = texts(plain, [mel.window(0) for mel in mels])
    assert len(set(expected)) > COUNT // 2
    mixed = [
        torch.from_numpy(samples) if n % 3 else mel.window(0)
        for n, (samples, mel) in enumerate(zip(sounds, mels, strict=True))
    ]
    assert texts(static, mixed) == expected
    assert texts(static, [torch.from_numpy(samples) for samples in sounds]) == expected


def test_samples_that_fit_no_window_are_refused(plain: PlainBackend, static: GraphBackend) -> None:
    for backend, length in ((plain, 16_000), (static, 480_001)):
        with engine(backend) as running, pytest.raises(ValueError, match=f"{length} samples"):
            running.submit(Window("r", torch.zeros(length), language="en"))


def test_rows_of_long_and_short_recordings_decode_together(static: GraphBackend) -> None:
    with engine(static) as running:
        for n, window in enumerate(windows(language="en")[:4]):
            mixed = Window("x" if n % 2 else "y", window.audio, language="en", lane=LANES[n % 3])
            running.submit(mixed)
        running.submit(windows(language="en")[4]).result(60)

    assert max(running.counters.batch_sizes) > 2


def test_cancelled_windows_leave_the_others_as_they_are(
    plain: PlainBackend, static: GraphBackend
) -> None:
    expected = results_of(plain, language="en")
    with engine(static) as running:
        futures = [running.submit(window) for window in windows(language="en")]
        for future in futures[::2]:
            future.cancel()
        found = {n: future.result(60) for n, future in enumerate(futures) if not future.cancelled()}

    assert len(found) >= COUNT // 2
    assert all(result.tokens == expected[n].tokens for n, result in found.items())
    assert running.scheduler.is_idle
