"""Files whose sound has times: bursts of a tone, beside black pictures or alone."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

from models.units import SAMPLE_RATE

RATE = 48_000
# MPEG-1 and -2 know no fewer a second.
_MPEG, _FEW = 25, 5
_SIDE = 64
# Of codecs that do not take the usual ones.
_PIXELS = {"huffyuv": "yuv422p", "mjpeg": "yuvj420p", "png": "rgb24"}

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Kind:
    """A container with an audio codec and, if it has pictures, a video codec."""

    container: str
    audio: str
    video: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    rate: int = RATE

    def __str__(self) -> str:
        return "-".join(filter(None, (self.container, self.audio, self.video)))


@dataclass(frozen=True)
class Burst:
    """A tone from `start` on, of about so many seconds."""

    start: float
    seconds: float


def timed(
    kind: Kind, bursts: Sequence[Burst], clock: float = 0.0, picture_seconds: float | None = None
) -> bytes:
    """A file of that kind with these bursts, on a clock that starts at `clock`.

    Its pictures, where it has some, begin with the clock and end behind the sound.
    """
    file = io.BytesIO()
    with av.open(file, "w", format=kind.container, container_options=dict(kind.options)) as output:
        pictures = _video(output, kind.video) if kind.video else None
        sound = output.add_stream(kind.audio, rate=kind.rate, layout="stereo")
        assert isinstance(sound, av.AudioStream)
        if pictures:
            length = picture_seconds or bursts[-1].start + bursts[-1].seconds + 1
            for frame in _pictures(length, clock, pictures.codec_context.rate):
                output.mux(pictures.encode(frame))
            output.mux(pictures.encode(None))
        for burst in bursts:
            for tone in _tone(sound, burst, clock):
                output.mux(sound.encode(tone))
        output.mux(sound.encode(None))
    return file.getvalue()


def heard(samples: Samples) -> list[tuple[float, float]]:
    """Start and end in seconds of each stretch that is louder than a whisper."""
    loud = np.flatnonzero(np.abs(samples) > 0.05)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > SAMPLE_RATE // 20)
    starts = loud[np.concatenate([[0], breaks + 1])]
    ends = loud[np.concatenate([breaks, [len(loud) - 1]])]
    pairs = np.stack([starts, ends], axis=1) / SAMPLE_RATE
    return [(float(start), float(end)) for start, end in pairs]


def _video(output: av.container.OutputContainer, codec: str) -> av.VideoStream:
    stream = output.add_stream(codec, rate=_MPEG if codec.startswith("mpeg2") else _FEW)
    assert isinstance(stream, av.VideoStream)
    stream.width = stream.height = _SIDE
    stream.pix_fmt = _PIXELS.get(codec, "yuv420p")
    return stream


def _pictures(seconds: float, clock: float, rate: Fraction) -> Iterator[av.VideoFrame]:
    black = np.full((_SIDE * 3 // 2, _SIDE), 128, np.uint8)
    black[:_SIDE] = 16
    for number in range(round(seconds * rate)):
        frame = av.VideoFrame.from_ndarray(black, format="yuv420p")
        frame.pts, frame.time_base = number + round(clock * rate), 1 / rate
        yield frame


def _tone(sound: av.AudioStream, burst: Burst, clock: float) -> Iterator[av.AudioFrame]:
    rate, size = sound.codec_context.sample_rate, sound.codec_context.frame_size or 1024
    resampler = av.AudioResampler(sound.format, sound.layout, rate, size)
    times = np.arange(int(burst.seconds * rate) // size * size) / rate
    signal = (8192 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
    given = av.AudioFrame.from_ndarray(np.repeat(signal, 2)[None], format="s16", layout="stereo")
    given.rate = rate
    start = round((clock + burst.start) * rate)
    for frame in (*resampler.resample(given), *resampler.resample(None)):
        frame.pts, frame.time_base = start, Fraction(1, rate)
        start += frame.samples
        yield frame
