"""A recording whose log-mel is left to the engine: its samples, then the same windows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.audio.mel import LogMel
from models.audio.windows.waveform import Waveform


@pytest.mark.parametrize("length", [1, 160, 16_000, 479_999, 480_000])
def test_windows_behind_the_first_are_those_of_log_mel(length: int) -> None:
    samples = np.random.default_rng(length).normal(0, 0.1, length).astype(np.float32)
    found, expected = Waveform(samples, 80), LogMel(samples, 80)

    assert found.frames == expected.frames
    assert found.fits_one_window
    assert expected.fits_one_window
    assert torch.equal(found.window(0), torch.from_numpy(samples))
    for seek in range(0, found.frames, 700):
        assert found.content(seek) == expected.content(seek)
        assert found.is_ready(seek) == (seek != 700)
        if seek:
            assert torch.equal(found.window(seek), expected.window(seek))
