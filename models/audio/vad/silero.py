"""Voice activity detection by Silero's network, its weights read from its wheel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from models.audio.samples import Samples
from models.checkpoints.safetensors_file import read_tensors
from models.units import VAD_FRAME

Memory = tuple[Tensor, Tensor]

_CONTEXT = 64  # samples of the frame before that it sees, too
_STFT, _STFT_HOP, _STFT_PADDING = 256, 128, 64
_STRIDES = (1, 2, 2, 1)
BLOCK = 256 * VAD_FRAME  # samples of a block (8 s): memory does not grow with the recording


class Silero(nn.Module):
    """The 16 kHz network of Silero VAD 6 (silero-vad, `silero_vad/tinygrad_model.py`).

    A short-time Fourier transform and four convolutions see each frame alone and take a block of
    frames as one batch; an LSTM then runs over the frames.
    """

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        # `stft_conv.weight` is its Fourier transform as a matrix, which takes three times as long.
        self.window = torch.hann_window(_STFT)
        self.convolutions = [
            (_as_matrix(tensors[f"conv{i}.weight"]), tensors[f"conv{i}.bias"], stride)
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
    def forward(self, frames: Tensor, memory: Memory | None) -> tuple[Tensor, Memory]:
        """The probabilities of a block of frames `[frames, 64 + 512]`, and the LSTM's memory."""
        states, memory = self.lstm(self._encode(frames), memory)
        return F.linear(states.relu(), *self.last).sigmoid()[:, 0], memory

    def _encode(self, frames: Tensor) -> Tensor:
        padded = F.pad(frames[:, None], (0, _STFT_PADDING), mode="reflect")
        x: Tensor = torch.fft.rfft(padded[:, 0].unfold(1, _STFT, _STFT_HOP) * self.window).abs()
        for weight, bias, stride in self.convolutions:  # [frames, 4, bins], fewer and fewer
            x = _convolve(x, weight, bias, stride)
        return x[:, 0]  # [frames, 128]


def _as_matrix(weight: Tensor) -> Tensor:
    """A convolution's weight, [out, in, width], as one of `_convolve`."""
    return weight.transpose(1, 2).flatten(1).contiguous()


def _convolve(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """A convolution of width 3 and ReLU: [frames, places, in] to [frames, places / stride, out].

    Over so few places one product of matrices takes a third of a convolution's time.
    """
    seen = F.pad(x, (0, 0, 1, 1)).unfold(1, 3, stride).mT
    # A copy: where neighbours overlap in memory, the product is several times slower.
    out = F.linear(seen.reshape(-1, weight.shape[1]), weight, bias)
    return out.relu_().view(len(x), seen.shape[1], -1)


class SileroStream:
    """The detector's state in one recording, which comes block by block."""

    def __init__(self, detector: Silero) -> None:
        self._detector = detector
        self._memory: Memory | None = None
        self._before = np.zeros(_CONTEXT, np.float32)

    def feed(self, block: Samples) -> NDArray[np.float32]:
        """The probabilities of the next samples: whole frames, but for the recording's last."""
        missing = -len(block) % VAD_FRAME
        seen = np.concatenate([self._before, block, np.zeros(missing, np.float32)])
        self._before = seen[-_CONTEXT:]
        frames = torch.from_numpy(seen).unfold(0, _CONTEXT + VAD_FRAME, VAD_FRAME)
        probabilities, self._memory = self._detector(frames, self._memory)
        return cast("NDArray[np.float32]", probabilities.numpy())


def load_silero() -> Silero:
    """The detector with the weights of the silero-vad wheel, which is found but not imported.

    Importing it would set this process to one thread.
    """
    package = find_spec("silero_vad")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("silero_vad", name="silero_vad")
    weights = Path(package.origin).parent / "data" / "silero_vad_16k.safetensors"
    return Silero(read_tensors(weights)).eval()
