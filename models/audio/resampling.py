"""Decoded audio to mono, at one rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, groupby

import av
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.filter import Graph
from numpy.typing import NDArray

from models.errors import AudioError

# Outside of these a few header bytes could ask the resampler for gigabytes.
_MIN_RATE, _MAX_RATE = 1_000, 768_000
# Those that need not be tried.
_USUAL = ("mono", "stereo")


def resampled(
    frames: Iterable[AudioFrame], sample_rate: int, channel: int | None = None
) -> Iterator[NDArray[np.int16]]:
    """The same audio, mono at this rate, in pieces of about a second.

    `channel` alone, counted from 0; None: the mix of all.

    Raises:
        AudioError: it is at a rate that cannot be one, or has no such channel.
        av.FFmpegError: it cannot be resampled.
    """
    # Rate and layout may change midway (joined Ogg streams): each stretch has its own resampler.
    for (_, layout, rate), stretch in groupby(frames, _layout):
        if not _MIN_RATE <= rate <= _MAX_RATE:
            raise AudioError(f"Audio with a sample rate of {rate} Hz is not supported.")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=sample_rate)
        joined = _joined(stretch, rate)
        mixable = _mixable(joined, layout) if channel is None else _alone(joined, channel)
        for frame in chain(mixable, (None,)):  # None: give out what is still inside
            for piece in resampler.resample(frame):
                if piece is not None:
                    yield piece.to_ndarray()[0]


def _mixable(frames: Iterable[AudioFrame], layout: str) -> Iterator[AudioFrame]:
    """The same audio; where the resampler cannot mix its layout, the mean of all channels."""
    if layout in _USUAL or _can_mix(layout):
        yield from frames
        return
    # PyAV reads beyond the planes of planar frames with eight channels and more.
    packer = av.AudioResampler(format="flt")
    for frame in frames:
        for packed in packer.resample(frame):
            mean = packed.to_ndarray().reshape(packed.samples, -1).mean(axis=1)
            mono = AudioFrame.from_ndarray(mean[None], format="flt", layout="mono")
            mono.rate = frame.rate
            yield mono


def _alone(frames: Iterable[AudioFrame], channel: int) -> Iterator[AudioFrame]:
    """One channel of them."""
    packer = av.AudioResampler(format="flt")
    for frame in frames:
        for packed in packer.resample(frame):
            samples = packed.to_ndarray().reshape(packed.samples, -1)
            if channel >= samples.shape[1]:
                count = samples.shape[1]
                raise AudioError(f"The audio has no channel {channel}: it has {count}, from 0.")
            mono = samples.astype(np.float32)[None, :, channel].copy()
            alone = AudioFrame.from_ndarray(mono, format="flt", layout="mono")
            alone.rate = frame.rate
            yield alone


def _can_mix(layout: str) -> bool:
    """Whether libswresample can: not 9 channels, nor two that both stand behind the listener."""
    graph = Graph()
    graph.threads = 1  # others would take address space
    source = {"sample_fmt": "s16", "sample_rate": "16000", "channel_layout": layout}
    nodes = graph.add("abuffer", **source), graph.add("aformat", channel_layouts="mono")
    try:
        graph.link_nodes(*nodes, graph.add("abuffersink")).configure()
    except av.ArgumentError:
        return False
    return True


def _joined(frames: Iterable[AudioFrame], samples: int) -> Iterator[AudioFrame]:
    """The same audio in frames of that many samples and more: the resampler takes its time a frame.

    Codecs have frames of 10 to 100 ms.
    """
    fifo = AudioFifo()
    for frame in frames:
        frame.pts = None  # gaps between frames are nothing to the resampler
        fifo.write(frame)
        if fifo.samples >= samples and (joined := fifo.read()):
            yield joined
    if joined := fifo.read():
        yield joined


def _layout(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
