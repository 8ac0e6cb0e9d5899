"""The log-mel of a recording that is read twice is that of the recording in memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import torch
from whisper.audio import log_mel_spectrogram

from models.audio.load.load_audio import load, read
from models.audio.mel import LogMel, StreamedLogMel
from models.audio.samples import Samples
from tests.speech_clips import clips

LONG = next(clip for clip in clips() if clip.is_long and clip.is_speech)


def cut(samples: Samples, size: int) -> Iterator[Samples]:
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


def assert_equal_windows(streamed: StreamedLogMel, whole: LogMel, step: int) -> None:
    assert streamed.frames == whole.frames
    for seek in range(0, whole.frames, step):
        assert streamed.content(seek) == whole.content(seek)
        assert streamed.is_ready(seek)
        assert torch.allclose(streamed.window(seek), whole.window(seek), atol=1e-5)
        streamed.read_ahead(seek)


@pytest.mark.parametrize("length", [1, 150, 401, 16_000, 479_900, 480_000, 480_001, 640_100])
@pytest.mark.parametrize("n_mels", [80, 128])
def test_log_mel_equals_whispers(length: int, n_mels: int) -> None:
    samples = np.random.default_rng(length).normal(0, 0.1, length).astype(np.float32)
    padding = 480_000 - length if length <= 480_000 else 480_000
    expected = log_mel_spectrogram(torch.from_numpy(samples), n_mels, padding=padding)

    found = LogMel(samples, n_mels)

    content = expected.shape[1] if length <= 480_000 else min(3000, found.frames)
    assert found.window(0).shape == (n_mels, 3000)
    assert torch.allclose(found.window(0)[:, :content], expected[:, :content], atol=1e-5)


@pytest.mark.parametrize("step", [317, 2999, 3000])
def test_streamed_log_mel_of_a_file_equals_the_whole(step: int) -> None:
    streamed = StreamedLogMel(partial(read, LONG.path), 80)
    assert not streamed.is_ready(3000)

    assert_equal_windows(streamed, LogMel(load(LONG.path), 80), step)


@pytest.mark.parametrize("length", [480_001, 640_000, 640_159, 640_160, 640_200, 799_999])
@pytest.mark.parametrize("size", [997, 160_000, 10**9])
def test_streamed_log_mel_any_length_in_any_pieces_equals_the_whole(length: int, size: int) -> None:
    samples = np.random.default_rng(length).normal(0, 0.1, length).astype(np.float32)
    samples[-1] = 1.0  # the loudest place is the very end

    streamed = StreamedLogMel(lambda: cut(samples, size), 128)

    assert_equal_windows(streamed, LogMel(samples, 128), 1500)


def test_streamed_log_mel_holds_no_more_than_a_few_windows() -> None:
    minute = np.random.default_rng(0).normal(0, 0.1, 960_000).astype(np.float32)
    taken = 0

    def minutes() -> Iterator[Samples]:
        nonlocal taken
        taken = 0
        for _ in range(5):
            taken += 1
            yield minute

    mel = StreamedLogMel(minutes, 80)

    for seek in range(0, mel.frames, 2500):
        held = mel.window(seek).untyped_storage().nbytes() // (80 * 4)
        mel.read_ahead(seek)
        assert held <= 8000
        assert taken <= seek // 6000 + 3
