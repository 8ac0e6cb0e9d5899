"""One channel taken alone."""

from __future__ import annotations

import io
from collections.abc import Iterator

import av
import numpy as np
import numpy.typing as npt
import pytest

from models.audio.load.resampling import resampled
from models.errors import AudioError
from models.units import SAMPLE_RATE
from tests.models.audio.load.test_load_audio import encode, wav


def frames(data: bytes) -> Iterator[av.AudioFrame]:
    """The decoded frames of a file."""
    with av.open(io.BytesIO(data), "r") as container:
        yield from container.decode(audio=0)


def taken(data: bytes, channel: int | None) -> npt.NDArray[np.int16]:
    """What is read of that channel."""
    return np.concatenate(list(resampled(frames(data), SAMPLE_RATE, channel)))


def noises(channels: int) -> npt.NDArray[np.int16]:
    """Two seconds of a noise a channel, `[samples, channels]`."""
    random = np.random.default_rng(channels)
    return random.integers(-9999, 9999, (2 * SAMPLE_RATE, channels)).astype("<i2")


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8, 9, 16])
def test_channel_alone_is_as_it_was_recorded(channels: int) -> None:
    given = noises(channels)
    for channel in {0, channels // 2, channels - 1}:
        np.testing.assert_array_equal(taken(wav(given), channel), given[:, channel])


@pytest.mark.parametrize(
    ("channels", "channel", "message"),
    [
        (1, 1, r"no channel 1\. The audio has one channel: 0\."),
        (2, 2, r"no channel 2\. The audio has 2 channels: 0 to 1\."),
        (2, -1, r"no channel -1\. The audio has 2 channels: 0 to 1\."),
        (6, 99, r"no channel 99\. The audio has 6 channels: 0 to 5\."),
    ],
)
def test_channel_beyond_the_last(channels: int, channel: int, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        taken(wav(noises(channels)), channel)


def test_channel_of_planar_samples_at_another_rate() -> None:
    mono = encode("mp4", "aac", 48_000, 2.0)
    np.testing.assert_allclose(taken(mono, 0), taken(mono, None), atol=2)


def test_channel_of_an_inverted_pair_is_taken_as_it_is() -> None:
    given = noises(1)
    pair = np.concatenate([given, -given], axis=1)
    np.testing.assert_array_equal(taken(wav(pair), 1), -given[:, 0])
