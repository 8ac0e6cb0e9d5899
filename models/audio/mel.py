"""Log-mel spectrogram of samples, as openai-whisper computes it (whisper/audio.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from whisper.audio import (
    N_FFT,
    N_FRAMES,
    mel_filters,
    pad_or_trim,
)

from models.audio.samples import Samples, blocks
from models.units import HOP, WINDOW_SAMPLES

_EDGE = N_FFT // 2  # samples that a frame sees on either side of where it stands
_BLOCK = 500 * HOP
_QUIETEST = -10.0  # of a frame without sound, in powers of ten


class Mel(Protocol):
    """The log-mel of one recording of so many frames, handed out as windows of 3000."""

    frames: int
    fits_one_window: bool

    def window(self, seek: int) -> Tensor:
        """The window that starts at frame `seek`, [n_mels, 3000]; of some (waveform.py) samples."""
        ...

    def content(self, seek: int) -> int:
        """The number of the recording's frames in the window at frame `seek`."""
        ...

    def is_ready(self, seek: int) -> bool:
        """True if the window at frame `seek` needs no reading."""
        ...

    def read_ahead(self, seek: int) -> None:
        """Makes ready what the window after the one at frame `seek` may hold."""
        ...


class LogMel:
    """The log-mel of a recording that is in memory.

    One of at most 30 s is seen as `whisper.decode`'s users see it: padded with silence to 30 s.
    A longer one as `whisper.transcribe` sees it: one log-mel over the whole file, whose windows
    are padded with zeros.
    """

    def __init__(self, samples: Samples, n_mels: int) -> None:
        self.frames = len(samples) // HOP
        self.fits_one_window = len(samples) <= WINDOW_SAMPLES
        padding = WINDOW_SAMPLES - len(samples) if self.fits_one_window else WINDOW_SAMPLES
        # No frame with sound sees more of it, and the others are all alike.
        padded = np.pad(samples, (0, min(padding, N_FFT)))
        # whisper mirrors the end, too, and leaves out the frame that stands on it
        pieces = [padded, padded[-2 : -_EDGE - 2 : -1]]
        mel = torch.cat(list(_spectra(pieces, n_mels)), dim=1)[:, :-1]
        if self.fits_one_window:
            mel = F.pad(mel, (0, N_FRAMES - mel.shape[1]), value=_QUIETEST)
        self._mel = _normalized(mel, float(mel.max()))

    def window(self, seek: int) -> Tensor:
        """The window that starts at frame `seek`, [n_mels, 3000]."""
        if seek == 0 and self.fits_one_window:
            return self._mel
        return pad_or_trim(self._mel[:, seek : seek + self.content(seek)], N_FRAMES)

    def content(self, seek: int) -> int:
        """The number of the recording's frames in the window at frame `seek`."""
        return min(N_FRAMES, self.frames - seek)

    def is_ready(self, seek: int) -> bool:
        """It is."""
        return True

    def read_ahead(self, seek: int) -> None:
        """All of it is there."""


class StreamedLogMel:
    """The log-mel of a recording of more than 30 s that is read twice, never held whole.

    The first time tells its length and its loudest place, which all frames are measured by; the
    second time, windows are handed out, with seeks that never go back.
    """

    fits_one_window = False

    def __init__(self, passes: Callable[[], Iterable[Samples]], n_mels: int) -> None:
        self._length, self._loudest = 0, _QUIETEST
        for spectrum in _spectra(_with_silence(self._counted(passes())), n_mels):
            self._loudest = max(self._loudest, float(spectrum.max()))
        self.frames = self._length // HOP
        self._spectra = _spectra(_with_silence(passes()), n_mels)
        self._held, self._first = torch.empty(n_mels, 0), 0
        self._read_until(N_FRAMES)

    def window(self, seek: int) -> Tensor:
        """The window that starts at frame `seek`, [n_mels, 3000]."""
        self._read_until(seek + N_FRAMES)
        self._held, self._first = self._held[:, seek - self._first :], seek
        return pad_or_trim(self._held[:, : self.content(seek)], N_FRAMES)

    def content(self, seek: int) -> int:
        """The number of the recording's frames in the window at frame `seek`."""
        return min(N_FRAMES, self.frames - seek)

    def is_ready(self, seek: int) -> bool:
        """True if it has been read."""
        return self._first + self._held.shape[1] >= min(seek + N_FRAMES, self.frames)

    def read_ahead(self, seek: int) -> None:
        """Makes ready what the window after the one at frame `seek` may hold."""
        self._read_until(seek + 2 * N_FRAMES)

    def _read_until(self, frame: int) -> None:
        new: list[Tensor] = []
        end = self._first + self._held.shape[1]
        while end < min(frame, self.frames):
            spectrum = next(self._spectra)
            new.append(_normalized(spectrum, self._loudest))
            end += spectrum.shape[1]
        if new:
            self._held = torch.cat([self._held, *new], dim=1)

    def _counted(self, pieces: Iterable[Samples]) -> Iterator[Samples]:
        for piece in pieces:
            self._length += len(piece)
            yield piece


def excerpt(window: Tensor, first: int, end: int) -> Tensor:
    """The frames of a window from one to another, with silence behind them; of samples these."""
    if window.dim() == 1:
        return window[first * HOP : end * HOP]
    silence = float(window.amin())
    return F.pad(window[:, first:end], (0, window.shape[1] - end + first), value=silence)


def _spectra(pieces: Iterable[Samples], n_mels: int) -> Iterator[Tensor]:
    """The frames that lie in these samples, `[n_mels, frames]` at a time, in powers of ten.

    Before the samples their beginning is mirrored. Blocks are small: what is in between takes
    ten times the memory of the frames.
    """
    window, filters = torch.hann_window(N_FFT), mel_filters("cpu", n_mels)
    before: Samples | None = None
    for block in blocks(pieces, _BLOCK):
        if before is None:
            before = block[_EDGE:0:-1]
        seen = np.concatenate([before, block])
        if len(seen) < N_FFT:
            before = seen
            continue
        stft = torch.stft(
            torch.from_numpy(seen), N_FFT, HOP, window=window, center=False,
            return_complex=True,
        )  # fmt: skip
        yield (filters @ stft.abs().square_()).clamp_(min=10**_QUIETEST).log10_()
        before = seen[stft.shape[1] * HOP :]


def _normalized(spectrum: Tensor, loudest: float) -> Tensor:
    return (spectrum.clamp(min=loudest - 8.0) + 4.0) / 4.0


def _with_silence(pieces: Iterable[Samples]) -> Iterator[Samples]:
    yield from pieces
    yield np.zeros(N_FFT, np.float32)
