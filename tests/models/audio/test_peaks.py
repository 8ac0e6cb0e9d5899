"""Tests of waveform peaks."""

from __future__ import annotations

import numpy as np
import pytest

from models.audio import peaks
from models.audio.peaks import Peaks

SOUND = np.random.default_rng(1).uniform(-1, 1, 10_000).astype(np.float32)


def made(size: int) -> bytes:
    found = Peaks()
    for start in range(0, len(SOUND), size):
        found.add(start, SOUND[start : start + size])
    return found.to_bytes()


@pytest.mark.parametrize("size", [1, 799, 800, 801, 10_000])
def test_same_however_the_samples_come(size: int) -> None:
    blocks = [SOUND[at : at + 800] for at in range(0, len(SOUND), 800)]
    pairs = [[round(float(each.min()) * 127), round(float(each.max()) * 127)] for each in blocks]

    assert np.frombuffer(made(size), np.int8).reshape(-1, 2).tolist() == pairs


def test_second_pass_adds_nothing() -> None:
    found = Peaks()
    for _ in range(2):
        for start in (0, 5_000):
            found.add(start, SOUND[start : start + 5_000])

    assert found.to_bytes() == made(10_000)


def test_louder_than_full_scale() -> None:
    found = Peaks()
    found.add(0, np.array([-3.0, 3.0], np.float32))

    assert np.frombuffer(found.to_bytes(), np.int8).tolist() == [-127, 127]


def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peaks, "MAX_SECONDS", 1)
    found = Peaks()
    for start in range(0, 160_000, 8_000):
        found.add(start, np.zeros(8_000, np.float32))

    assert len(found.to_bytes()) == 40
