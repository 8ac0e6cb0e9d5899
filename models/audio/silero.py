"""Samples to speech probabilities: Silero's voice detector, its weights read from its wheel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from models.tensor_file import read_tensors

Samples = NDArray[np.float32]

FRAME = 512  # samples the detector judges at once: 32 ms
_CONTEXT = 64  # samples of the frame before that it sees, too
_STFT_PADDING = 64
_BINS = 129
_STRIDES = (1, 2, 2, 1)
_BLOCK = 256  # frames computed together (8 s): memory does not grow with the recording


class Silero(nn.Module):
    """The 16 kHz network of Silero VAD 6 (silero-vad, `silero_vad/tinygrad_model.py`).

    A short-time Fourier transform and four convolutions see each frame alone and take a block of
    frames as one batch; an LSTM then runs over the frames.
    """

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        self.fourier = tensors["stft_conv.weight"]
        self.convolutions = [
            (tensors[f"conv{i}.weight"], tensors[f"conv{i}.bias"], stride)
            for i, stride in enumerate(_STRIDES, start=1)
        ]
        self.lstm = nn.LSTM(128, 128)
        names = {
            f"{name}_l0": tensors[f"lstm_cell.{name}"]
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        }
        self.lstm.load_state_dict(names)
        self.last = tensors["final_conv.weight"][:, :, 0], tensors["final_conv.bias"]

    @torch.inference_mode()
    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """How probable speech is in each frame of 512 samples, `[ceil(samples / 512)]`.

        `samples` is float32 mono at 16 kHz; the last frame is filled up with silence.
        """
        out: list[NDArray[np.float32]] = []
        memory: tuple[Tensor, Tensor] | None = None
        for start in range(0, len(samples), _BLOCK * FRAME):
            seen = self._encode(_frames(samples, start))
            states, memory = self.lstm(seen, memory)
            out.append(F.linear(states.relu(), *self.last).sigmoid()[:, 0].numpy())
        return np.concatenate(out) if out else np.zeros(0, np.float32)

    def _encode(self, frames: Tensor) -> Tensor:
        padded = F.pad(frames[:, None], (0, _STFT_PADDING), mode="reflect")
        spectrum = F.conv1d(padded, self.fourier, stride=128)
        real, imaginary = spectrum[:, :_BINS], spectrum[:, _BINS:]
        x = (real.square() + imaginary.square()).sqrt()  # [frames, bins, 4]
        for weight, bias, stride in self.convolutions:
            x = F.conv1d(x, weight, bias, stride=stride, padding=1).relu()
        return x[:, :, 0]  # [frames, 128]


def load_silero() -> Silero:
    """The detector with the weights of the silero-vad wheel, which is found but not imported.

    Importing it would set this process to one thread.
    """
    package = find_spec("silero_vad")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("silero_vad", name="silero_vad")
    weights = Path(package.origin).parent / "data" / "silero_vad_16k.safetensors"
    return Silero(read_tensors(weights)).eval()


def _frames(samples: Samples, start: int) -> Tensor:
    """A block of frames, each behind the end of the one before, `[frames, 64 + 512]`."""
    block = samples[start : start + _BLOCK * FRAME]
    before = samples[max(0, start - _CONTEXT) : start]
    missing = -len(block) % FRAME
    padded = np.pad(np.concatenate([before, block]), (_CONTEXT - len(before), missing))
    return torch.from_numpy(padded).unfold(0, _CONTEXT + FRAME, FRAME)
