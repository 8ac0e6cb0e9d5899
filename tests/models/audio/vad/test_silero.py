"""The voice detector on real recordings, held against its authors' own program."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from models.audio.load.load_audio import load
from models.audio.vad.silero import Silero, SileroStream, load_silero
from models.checkpoints.safetensors_file import read_tensors
from models.units import VAD_FRAME
from tests.models.audio.whole import probabilities
from tests.speech_clips import Clip, clips, jfk

CLIPS = [clip for clip in clips() if not clip.is_long]


@pytest.fixture(scope="module")
def detector() -> Silero:
    return load_silero()


@pytest.mark.parametrize("clip", CLIPS, ids=str)
def test_probabilities_tell_speech_from_the_rest(detector: Silero, clip: Clip) -> None:
    found = probabilities(SileroStream(detector), load(clip.path)) >= 0.5

    if clip.is_speech:
        assert found.mean() > 0.4
    else:
        assert found.mean() < 0.04


def test_probabilities_do_not_depend_on_the_blocks(detector: Silero) -> None:
    samples = load(jfk().path)
    whole = probabilities(SileroStream(detector), samples)

    pieces = probabilities(SileroStream(detector), samples, 7 * VAD_FRAME)

    assert len(pieces) == -(-len(samples) // VAD_FRAME)
    np.testing.assert_allclose(pieces, whole, atol=1e-4)


def test_the_wheels_transform_is_that_of_a_hann_window() -> None:
    package = find_spec("silero_vad")
    assert package is not None
    assert package.origin is not None
    weights = Path(package.origin).parent / "data" / "silero_vad_16k.safetensors"
    matrix = read_tensors(weights)["stft_conv.weight"][:, 0]

    transform = torch.fft.rfft(torch.eye(256) * torch.hann_window(256)).T

    torch.testing.assert_close(
        matrix, torch.cat([transform.real, transform.imag]), atol=1e-6, rtol=0
    )


@pytest.mark.filterwarnings("ignore:.*torch.jit.load:DeprecationWarning")
def test_probabilities_equal_the_authors_network_on_its_weights() -> None:
    package = find_spec("silero_vad")
    assert package is not None
    assert package.origin is not None
    theirs = torch.jit.load(Path(package.origin).parent / "data" / "silero_vad.jit")  # type: ignore[no-untyped-call]
    samples = load(jfk().path)
    whole = 5 * 16_000 // VAD_FRAME
    samples = samples[: whole * VAD_FRAME]
    frames = torch.from_numpy(samples.reshape(whole, VAD_FRAME))
    with torch.inference_mode():
        expected = [theirs(frame, 16_000).item() for frame in frames]

    detector = Silero(_renamed(theirs.state_dict())).eval()
    ours = probabilities(SileroStream(detector), samples)

    np.testing.assert_allclose(ours, expected, atol=1e-4)


def _renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    names = {"stft_conv.weight": "stft.forward_basis_buffer"}
    for part in ("weight", "bias"):
        names[f"final_conv.{part}"] = f"decoder.decoder.2.{part}"
        for layer in range(4):
            names[f"conv{layer + 1}.{part}"] = f"encoder.{layer}.reparam_conv.{part}"
        for kind in ("ih", "hh"):
            names[f"lstm_cell.{part}_{kind}"] = f"decoder.rnn.{part}_{kind}"
    return {name: state[f"_model.{theirs}"] for name, theirs in names.items()}
