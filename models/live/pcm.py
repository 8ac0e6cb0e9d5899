"""PCM and G.711 as clients append it, piece by piece -> 16-bit samples at 16 kHz."""

from __future__ import annotations

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from models.live.live_options import AudioFormat
from models.units import SAMPLE_RATE

Pcm = NDArray[np.int16]

# A byte of any format lasts a whole number of these.
TICKS = 96_000

_ULAW_BIAS = 0x84


class PcmDecoder:
    """The audio of one session in one format.

    A sample may be split over two pieces. One resampler hears all of it and is never flushed: what
    comes out is the same however the bytes were cut, and a millisecond late.
    """

    def __init__(self, audio: AudioFormat) -> None:
        self.audio = audio
        self._rate = 8_000 if audio.encoding != "pcm16" else audio.rate
        self._table = _TABLES.get(audio.encoding)
        self._odd = b""
        self._resampler = (
            None
            if self._rate == SAMPLE_RATE
            else av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        )

    def feed(self, audio: bytes) -> Pcm:
        """The samples of the next piece, [samples]; some of its end may come with the next one."""
        samples = self._decoded(audio)
        if self._resampler is None or not len(samples):
            return samples
        frame = AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.rate = self._rate
        pieces = [piece.to_ndarray()[0] for piece in self._resampler.resample(frame)]
        return np.concatenate([np.zeros(0, np.int16), *pieces])

    def _decoded(self, audio: bytes) -> Pcm:
        if self._table is not None:
            return self._table[np.frombuffer(audio, np.uint8)]
        audio = self._odd + audio
        whole = len(audio) // 2 * 2
        self._odd = audio[whole:]
        return np.frombuffer(audio[:whole], "<i2").astype(np.int16)


def bytes_per_second(audio: AudioFormat) -> int:
    """Bytes of a second of sound."""
    return 2 * audio.rate if audio.encoding == "pcm16" else 8_000


def ticks_of(audio: AudioFormat, size: int) -> int:
    """The length of so many bytes, in units of which there are `TICKS` in a second."""
    return size * TICKS // bytes_per_second(audio)


def _ulaw_table() -> Pcm:
    """The sample of each code of mu-law, [256] (ITU-T G.711, table 2)."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, (code & 15).astype(np.int32)
    magnitude = ((mantissa << 3) + _ULAW_BIAS << exponent) - _ULAW_BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_table() -> Pcm:
    """The sample of each code of A-law, [256] (ITU-T G.711, table 1)."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, (code & 15).astype(np.int32)
    linear = (mantissa << 4) + 8
    scaled = linear + 0x100 << np.maximum(exponent, 1) - 1
    magnitude = np.where(exponent == 0, linear, scaled)
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


_TABLES = {"g711_ulaw": _ulaw_table(), "g711_alaw": _alaw_table()}
