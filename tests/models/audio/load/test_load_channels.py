"""Loading: recordings of any number of channels, in any layout."""

from __future__ import annotations

import io
import struct

import numpy as np
import numpy.typing as npt
import pytest

from models.audio.load.load_audio import load
from models.errors import AudioError
from models.units import SAMPLE_RATE
from tests.models.audio.load.test_load_audio import tone, wav

# The loudspeakers of an extensible WAV file, as bits.
_LEFT, _CENTRE, _BACK_LEFT, _BACK_RIGHT = 1, 4, 16, 32


def alone(channels: int, channel: int) -> npt.NDArray[np.int16]:
    """A second in which only one channel has a tone, `[samples, channels]`."""
    samples = np.zeros((SAMPLE_RATE, channels), np.int16)
    samples[:, [channel]] = tone(SAMPLE_RATE)
    return samples


def extensible(
    samples: npt.NDArray[np.generic], mask: int, subformat: int = 1, rate: int = SAMPLE_RATE
) -> bytes:
    """A WAV file that says which loudspeakers `[samples, channels]` are for.

    `subformat` is 1 for integers and 3 for floating point.
    """
    size, channels = samples.itemsize, samples.shape[1]
    frame, body = size * channels, samples.tobytes()
    fmt = struct.pack(
        "<HHIIHHHHIH14s",
        *(0xFFFE, channels, rate, rate * frame, frame, 8 * size, 22, 8 * size),
        *(mask, subformat, bytes.fromhex("000000001000800000aa00389b71")),
    )
    content = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt
    content += b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(content)) + content


def assert_is_tone(samples: npt.NDArray[np.float32]) -> None:
    """Fails unless it is the tone as loud as it is alone: silent channels are left out."""
    np.testing.assert_allclose(samples, tone(SAMPLE_RATE)[:, 0] / 32768.0, atol=1.5 / 32768)


@pytest.mark.parametrize("channels", [*range(9, 25), 32, 64])
def test_many_channels_are_averaged_without_silent_ones(channels: int) -> None:
    for channel in (0, channels // 2, channels - 1):
        assert_is_tone(load(io.BytesIO(wav(alone(channels, channel)))))


@pytest.mark.parametrize("channels", [9, 16, 24])
def test_many_channels_do_not_cancel_each_other(channels: int) -> None:
    inverted = alone(channels, 0) - alone(channels, channels - 1)
    samples = load(io.BytesIO(wav(inverted)))
    expected = tone(SAMPLE_RATE)[:, 0] / 32768.0
    np.testing.assert_allclose(samples, 0.75 * expected, atol=2 / 32768)


@pytest.mark.parametrize("mask", [_LEFT | _CENTRE, _BACK_LEFT | _BACK_RIGHT])
def test_lopsided_layouts_are_averaged(mask: int) -> None:
    stereo = np.concatenate([tone(SAMPLE_RATE), np.roll(tone(SAMPLE_RATE), 9, axis=0)], axis=1)
    samples = load(io.BytesIO(extensible(stereo, mask)))
    np.testing.assert_allclose(samples, stereo.mean(axis=1) / 32768.0, atol=1.5 / 32768)


@pytest.mark.parametrize(
    ("dtype", "scale", "subformat"),
    [("<i4", 1 << 16, 1), ("<i8", 1 << 48, 1), ("<f4", 1 / 32768, 3), ("<f8", 1 / 32768, 3)],
)
def test_samples_of_any_format_are_averaged(dtype: str, scale: float, subformat: int) -> None:
    samples = (alone(9, 8) * np.float64(scale)).astype(dtype)
    assert_is_tone(load(io.BytesIO(extensible(samples, 0, subformat))))


def test_averaged_channels_are_resampled() -> None:
    samples = load(io.BytesIO(wav(tone(48_000, 9, 2.5), 48_000)))
    assert len(samples) == 2.5 * SAMPLE_RATE
    expected = tone(SAMPLE_RATE, 1, 2.5)[:, 0] / 32768.0
    np.testing.assert_allclose(samples[1000:-1000], expected[1000:-1000], atol=0.001)


def test_too_many_channels_are_named() -> None:
    with pytest.raises(AudioError, match=r"65 channels is not supported: 64 are the most\."):
        load(io.BytesIO(wav(alone(65, 0))))
