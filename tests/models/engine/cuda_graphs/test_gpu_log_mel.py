"""Log-mel by the batch, held against openai-whisper's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from whisper.audio import log_mel_spectrogram

from models.audio.load.load_audio import load
from models.engine.cuda_graphs.gpu_log_mel import BatchedLogMel
from tests.speech_clips import clips

CPU = torch.device("cpu")
SPEECH = [clip for clip in clips() if clip.is_speech and not clip.is_long][:8]
LENGTH = 480_000


def filled(samples: np.ndarray) -> torch.Tensor:
    return torch.nn.functional.pad(torch.from_numpy(samples), (0, LENGTH - len(samples)))


@pytest.mark.parametrize("n_mels", [80, 128])
def test_a_batch_is_heard_as_by_whisper(n_mels: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, LENGTH).astype(np.float32)
    sounds = [load(clip.path)[:LENGTH] for clip in SPEECH]
    # Far apart in loudness: each is measured by its own loudest place.
    sounds += [noise, noise[:7] * 1e-3, sounds[0] * 1e-3, np.zeros(0, np.float32)]
    batch = torch.stack([filled(samples) for samples in sounds])

    found = BatchedLogMel(n_mels, CPU)(batch)

    assert found.shape == (len(sounds), n_mels, 3000)
    for mel, samples in zip(found, batch, strict=True):
        expected = log_mel_spectrogram(samples, n_mels)
        # Of numbers from -1.5 to 1.5; the mean shows that only the quietest are that far off.
        assert torch.allclose(mel, expected, atol=3e-4)
        assert (mel - expected).abs().mean() < 1e-5
