"""Containers of film, broadcast, archives and telephony after accidents: samples or an error."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress

import pytest

from models.audio.sandbox.rlimits import Limits
from models.errors import AudioError
from tests.models.audio.container.test_formats import ADDED
from tests.models.audio.hostile_files import mutated
from tests.models.audio.load.test_load_audio import encode
from tests.models.audio.sandbox.test_reader import Watched, samples, sandbox

_SEEDS = 12


@pytest.fixture(scope="module")
def box() -> Iterator[Watched]:
    with sandbox(Limits(max_seconds=3600, memory_bytes=256 << 20, patience_seconds=20)) as running:
        yield running


@pytest.mark.parametrize(("container", "codec", "rate"), ADDED)
def test_broken_container_gives_samples_or_an_audio_error(
    box: Watched, container: str, codec: str, rate: int
) -> None:
    data = encode(container, codec, rate)
    for seed in range(_SEEDS):
        with suppress(AudioError):
            samples(box, io.BytesIO(mutated(data, seed)))
    assert box.template.is_running()
    assert box.template.children() == []
    assert len(samples(box, io.BytesIO(data))) > 1.9 * 16_000
