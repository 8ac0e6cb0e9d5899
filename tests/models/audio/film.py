"""A file as films are: pictures, tracks in two languages, late sound in 5.1, a gap; its truth."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.stream import Disposition

from models.audio.load.load_audio import load
from models.units import SAMPLE_RATE
from tests.speech_clips import OWN_SPEECH, jfk

RATE = 48_000
_PICTURES_A_SECOND = 5
_CENTRE = 2  # of FL, FR, FC, LFE, BL, BR

GERMAN = OWN_SPEECH / "clips" / "kerstin"
ENGLISH = OWN_SPEECH / "clips" / "kathleen"

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """A clip that is spoken from `start` on."""

    path: Path
    start: float

    @property
    def samples(self) -> Samples:
        """At 16 kHz."""
        return load(self.path)

    @property
    def spoken(self) -> tuple[float, float]:
        """When its first sound begins and its last one ends, in the film's time.

        Sound is what has a thirtieth of the power of the loudest 20 ms: the room has a fiftieth.
        """
        blocks = self.samples[: len(self.samples) // 320 * 320].reshape(-1, 320)
        power = np.square(blocks).mean(axis=1)
        loud = np.flatnonzero(power > power.max() / 30)
        return self.start + loud[0] * 0.02, self.start + (loud[-1] + 1) * 0.02


def lines() -> tuple[Line, ...]:
    """What is said in English: late, and again behind a gap without packets."""
    first, second = sorted(ENGLISH.glob("*.flac"))[:2]
    return Line(jfk().path, 7.5), Line(first, 32.0), Line(second, 45.25)


def film(container: str) -> bytes:
    """The film: German in stereo first, English in 5.1 second and flagged as default."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        pictures = output.add_stream("libx264", rate=_PICTURES_A_SECOND)
        assert isinstance(pictures, av.VideoStream)
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        german = _track(output, "stereo", "ger", Disposition(0))
        english = _track(output, "5.1", "eng", Disposition.default)
        for picture in _black(60):
            output.mux(pictures.encode(picture))
        output.mux(pictures.encode(None))
        for stream, spoken in ((german, _german()), (english, lines())):
            for line in spoken:
                for frame in _frames(stream, line):
                    output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return file.getvalue()


def _german() -> tuple[Line, ...]:
    first, second = sorted(GERMAN.glob("*.flac"))[:2]
    return Line(first, 3.0), Line(second, 30.0)


def _track(
    output: av.container.OutputContainer, layout: str, language: str, flags: Disposition
) -> av.AudioStream:
    stream = output.add_stream("aac", rate=RATE, layout=layout)
    assert isinstance(stream, av.AudioStream)
    stream.bit_rate = 256_000
    stream.metadata["language"] = language
    stream.disposition = flags
    return stream


def _black(seconds: int) -> Iterator[av.VideoFrame]:
    for number in range(seconds * _PICTURES_A_SECOND):
        frame = av.VideoFrame.from_ndarray(np.full((96, 64), 16, np.uint8), format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, _PICTURES_A_SECOND)
        yield frame


def _frames(stream: av.AudioStream, line: Line) -> Iterator[av.AudioFrame]:
    """The line on the track: in the centre of 5.1, else on all channels."""
    names = [channel.name for channel in stream.layout.channels]
    signal = np.zeros((len(line.samples) + SAMPLE_RATE // 10, len(names)), np.float32)
    heard = [_CENTRE] if len(names) > 2 else range(len(names))
    for channel in heard:
        signal[: len(line.samples), channel] = line.samples
    given = av.AudioFrame.from_ndarray(
        signal.reshape(1, -1).copy(), format="flt", layout=stream.layout.name
    )
    given.rate = SAMPLE_RATE
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.format, stream.layout, RATE, size)
    position = round(line.start * RATE)
    for frame in (*resampler.resample(given), *resampler.resample(None)):
        frame.pts, frame.time_base = position, Fraction(1, RATE)
        position += frame.samples
        yield frame
