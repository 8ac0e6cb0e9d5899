"""Soft and whispered speech: a second pass of voice activity detection, at a normal level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.audio.samples import Samples
from models.audio.vad.silero import Silero, SileroStream
from models.units import VAD_FRAME

# From this probability on a frame is speech without a second pass (silero-vad's default).
_THRESHOLD = 0.5
# Frames on either side of one, half a second, whose speech spares it the second pass; and a
# quarter, whose loudest sets the level: a far speaker follows a near one as fast as that.
_NEAR, _AROUND = 16, 8
# Sound of a local peak below -36 dBFS has a second pass wherever it is.
_SOFT = 0.016
# Below this peak, -78 dBFS, 16 bits have but two to tell a sound with: dither, and no more.
_FLOOR = 4 / 32768
# The peak at which Silero works well; every half second is brought to it.
_LEVEL = 0.5
# What is added to a probability of the second pass: all it finds is doubtful, and is decoded
# to be believed only where the decoder is sure.
_BENEFIT = 0.15
# A voiced sound falls by some 12 dB an octave and a whispered one by far less: one pole, cut off
# where nothing is left of it, brings a whisper near to what the detector knows.
_POLE = 0.9
_TILT = (_POLE ** np.arange(88)).astype(np.float32)


class SoftSpeechStream:
    """The detector's state in one recording, with a second pass over soft sound.

    What it finds depends on the level: it loses speech whose peaks are below -50 dBFS, and much of
    it below -30. Sound that is soft, or in which it has found nothing for a second, it is given
    again at a normal level and with the spectrum of a voice.
    """

    def __init__(self, detector: Silero) -> None:
        self._detector, self._first = detector, SileroStream(detector)
        self._before = np.zeros(len(_TILT) - 1, np.float32)
        self._again: SileroStream | None = None

    def feed(self, block: Samples) -> NDArray[np.float32]:
        """The probabilities of the next samples: whole frames, but for the recording's last."""
        first_pass = self._first.feed(block)
        ranges = _second_pass_ranges(first_pass, block)
        second_pass = [self._second_pass(block, *stretch) for stretch in ranges]
        for (first, end), probabilities in zip(ranges, second_pass, strict=True):
            first_pass[first:end] = np.maximum(first_pass[first:end], probabilities)
        if not ranges or ranges[-1][1] < len(first_pass):
            self._again = None
        self._before = np.concatenate([self._before, block])[-len(self._before) :]
        return first_pass

    def _second_pass(self, block: Samples, first: int, end: int) -> NDArray[np.float32]:
        """The probabilities of a range of frames; one that spans blocks is one stream."""
        if first or self._again is None:
            self._again = SileroStream(self._detector)
        start, stop = first * VAD_FRAME, min(end * VAD_FRAME, len(block))
        around = np.concatenate([self._before, block[:stop]])[start:]
        tilted = np.convolve(around, _TILT, "valid").astype(np.float32)
        probabilities = self._again.feed(_normalised(tilted))
        doubtful = probabilities >= _THRESHOLD - _BENEFIT
        return np.minimum(probabilities + _BENEFIT * doubtful, 1).astype(np.float32)


def _second_pass_ranges(first_pass: NDArray[np.float32], block: Samples) -> list[tuple[int, int]]:
    """First frame and end of each range of sound that is soft, or far from any speech found."""
    level = _highest(_peaks(block), _AROUND)
    far = _highest(first_pass, _NEAR) < _THRESHOLD
    second_pass = (level >= _FLOOR) & (far | (level < _SOFT))
    edges = np.flatnonzero(np.diff(second_pass, prepend=False, append=False))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def _normalised(samples: Samples) -> Samples:
    """The samples at the level, each with the gain of the half second around it."""
    loudest = np.maximum(_highest(_peaks(samples), _AROUND), _FLOOR)
    middles = (np.arange(len(loudest)) + 0.5) * VAD_FRAME
    gain = np.exp(np.interp(np.arange(len(samples)), middles, np.log(_LEVEL / loudest)))
    return (samples * gain).astype(np.float32)


def _peaks(samples: Samples) -> NDArray[np.float32]:
    """Half of what each frame goes up and down: a constant is no sound."""
    frames = np.pad(samples, (0, -len(samples) % VAD_FRAME), "edge").reshape(-1, VAD_FRAME)
    return np.asarray(np.ptp(frames, axis=1) / 2, np.float32)


def _highest(values: NDArray[np.float32], around: int) -> NDArray[np.float32]:
    """The highest value within so many frames of each."""
    padded = np.pad(values, around, "edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * around + 1).max(axis=1)
    return np.asarray(highest, np.float32)
