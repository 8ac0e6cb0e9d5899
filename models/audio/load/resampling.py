"""Resampling and downmix of decoded audio: mono, at one rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, groupby

import av
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.filter import Graph
from numpy.typing import NDArray

from models.audio.load.downmix import Downmix
from models.errors import AudioError

# Outside of these a few header bytes could ask the resampler for gigabytes.
_MIN_RATE, _MAX_RATE = 1_000, 768_000
# Those that need not be tried.
_USUAL = ("mono", "stereo")
# With more channels they are microphones, not what was mixed for loudspeakers.
_MAX_WEIGHED = 8


def resampled(
    frames: Iterable[AudioFrame], sample_rate: int, channel: int | None = None
) -> Iterator[NDArray[np.int16]]:
    """The same audio, mono at this rate, in pieces of about a second.

    All channels are mixed, or one `channel`, counted from 0, is taken alone.

    Raises:
        AudioError: it is at a rate that cannot be one, or has no such channel.
        av.FFmpegError: it cannot be resampled.
    """
    # Rate and layout may change midway (joined Ogg streams): each stretch has its own resampler.
    for (_, layout, rate), stretch in groupby(frames, _layout):
        if not _MIN_RATE <= rate <= _MAX_RATE:
            raise AudioError(f"Audio with a sample rate of {rate} Hz is not supported.")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=sample_rate)
        mixable = _mono(_joined(stretch, rate), layout, rate, channel)
        for frame in chain(mixable, (None,)):  # None: give out what is still inside
            for piece in resampler.resample(frame):
                if piece is not None:
                    yield piece.to_ndarray()[0]


def _mono(
    frames: Iterable[AudioFrame], layout: str, rate: int, channel: int | None
) -> Iterable[AudioFrame]:
    """The same audio as the resampler can make it mono, or is to."""
    channels = AudioLayout(layout).nb_channels
    if channel is not None:
        if not 0 <= channel < channels:
            raise AudioError(_no_channel(channel, channels))
        return frames if channels == 1 else _alone(frames, channel)
    if channels > _MAX_WEIGHED:
        return _alike(frames, channels, rate)
    if channels > 1:
        frames = _weighed(frames, layout, rate)
    return frames if layout in _USUAL or _can_mix(layout) else _averaged(frames)


def _no_channel(channel: int, channels: int) -> str:
    maximum = f"{channels} channels: 0 to {channels - 1}" if channels > 1 else "one channel: 0"
    return f"There is no channel {channel}. The audio has {maximum}."


def _alone(frames: Iterable[AudioFrame], channel: int) -> Iterator[AudioFrame]:
    for frame, block in _unpacked(frames):
        yield _packed(block[:, [channel]], "mono", frame.rate)


def _averaged(frames: Iterable[AudioFrame]) -> Iterator[AudioFrame]:
    """The mean of all channels, for layouts that the resampler cannot mix."""
    for frame, block in _unpacked(frames):
        yield _packed(block.mean(axis=1, keepdims=True), "mono", frame.rate)


def _alike(frames: Iterable[AudioFrame], channels: int, rate: int) -> Iterator[AudioFrame]:
    """The mean of the audible channels, of which none cancels another."""
    weights = np.full(channels, 1 / channels, np.float32)
    for _, block, mixed in _decided(frames, weights, rate):
        mean = (block if mixed is None else mixed).mean(axis=1, keepdims=True)
        yield _packed(mean, "mono", rate)


def _weighed(frames: Iterable[AudioFrame], layout: str, rate: int) -> Iterator[AudioFrame]:
    """The same audio; where channels would cancel each other, or are silent, the downmix."""
    back: av.AudioResampler | None = None
    for frame, _, mixed in _decided(frames, _weights(layout), rate):
        if mixed is None:
            yield frame
        else:
            back = back or av.AudioResampler(format=frame.format.name)
            yield from back.resample(_packed(mixed, layout, frame.rate))


def _decided(
    frames: Iterable[AudioFrame], weights: NDArray[np.float32], rate: int
) -> Iterator[tuple[AudioFrame, NDArray[np.float32], NDArray[np.float32] | None]]:
    """Each frame, its samples, and what they are replaced by; None: they stay."""
    waiting: list[tuple[AudioFrame, NDArray[np.float32]]] = []

    def blocks() -> Iterator[NDArray[np.float32]]:
        for frame, block in _unpacked(frames):
            waiting.append((frame, block))
            yield block

    for mixed in Downmix(weights, rate).mixed(blocks()):
        yield (*waiting.pop(0), mixed)


def _unpacked(frames: Iterable[AudioFrame]) -> Iterator[tuple[AudioFrame, NDArray[np.float32]]]:
    """Each frame and its samples, `[samples, channels]`."""
    # PyAV reads beyond the planes of planar frames with eight channels and more.
    packer = av.AudioResampler(format="flt")
    for frame in frames:
        for packed in packer.resample(frame):
            samples = packed.to_ndarray().reshape(packed.samples, -1)
            yield frame, samples.astype(np.float32, copy=False)


def _packed(block: NDArray[np.float32], layout: str, rate: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout=layout)
    frame.rate = rate
    return frame


def _weights(layout: str) -> NDArray[np.float32]:
    """The resampler's weights of the channels, [channels]; the same for all if it cannot mix."""
    channels = AudioLayout(layout).nb_channels
    if layout not in _USUAL and not _can_mix(layout):
        return np.ones(channels, np.float32)
    mixer = av.AudioResampler(format="flt", layout="mono")
    one_each = _packed(np.eye(channels, dtype=np.float32), layout, 48_000)
    return np.concatenate([piece.to_ndarray()[0] for piece in mixer.resample(one_each)])


def _can_mix(layout: str) -> bool:
    """True if libswresample can: not 9 channels, nor two that both stand behind the listener."""
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
