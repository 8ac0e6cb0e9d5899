"""The downmix keeps what is said on any channel, and leaves ordinary recordings as they are."""

from __future__ import annotations

import io
from functools import cache
from itertools import pairwise

import av
import numpy as np
import numpy.typing as npt
import pytest

from models.audio.load.downmix import Downmix
from models.audio.load.load_audio import load
from models.units import SAMPLE_RATE
from tests.models.audio.load.test_load_audio import wav
from tests.models.audio.load.test_load_channels import extensible
from tests.speech_clips import clips, jfk

Samples = npt.NDArray[np.floating]

# 5.1 and quad as an extensible WAV file has them.
_FIVE_ONE, _QUAD = 0x3F, 0x33
_RANDOM = np.random.default_rng(22)
_NOISE = _RANDOM.normal(size=40 * SAMPLE_RATE).astype(np.float32)


@cache
def voice(seconds: float = 11.0) -> Samples:
    """The beginning of jfk."""
    return load(jfk().path)[: round(seconds * SAMPLE_RATE)]


@cache
def voices() -> list[Samples]:
    """Clips of several speakers, of up to 15 s."""
    chosen = [clip for clip in clips() if clip.is_speech and 3 < clip.seconds < 15]
    return [load(clip.path) for clip in chosen[::9]]


def mixed(*channels: Samples, mask: int = 0) -> Samples:
    """What is read of a WAV file of these channels; the loudspeakers of `mask`, if it has any."""
    length = max(map(len, channels))
    samples = np.stack([np.pad(each, (0, length - len(each))) for each in channels], axis=1)
    integers = (samples * 32767).round().clip(-32768, 32767).astype("<i2")
    return load(io.BytesIO(extensible(integers, mask) if mask else wav(integers)))


def level(samples: Samples) -> float:
    """RMS in dB."""
    return float(20 * np.log10(np.sqrt(np.square(samples).mean()) + 1e-9))


def likeness(one: Samples, other: Samples) -> float:
    """The correlation of two recordings of the same length, of any polarity."""
    return abs(float(np.corrcoef(one, other)[0, 1]))


def as_loud(noise: Samples, samples: Samples, decibels: float = 0) -> Samples:
    """The noise, as long and that much louder than the samples."""
    noise = np.resize(noise, len(samples))
    gain = 10 ** ((level(samples) - level(noise) + decibels) / 20)
    return (noise * gain).astype(np.float32)


@pytest.mark.parametrize("share", [1.0, 0.9, 0.8, 0.6, 0.5])
@pytest.mark.parametrize("swapped", [False, True])
def test_inverted_stereo_is_heard(share: float, swapped: bool) -> None:
    pair = (voice(), -share * voice())
    samples = mixed(*(reversed(pair) if swapped else pair))
    assert likeness(samples, voice()) > 0.999
    assert level(samples) > level(voice()) - 5


@pytest.mark.parametrize("constant", [0.02, 0.05, 0.3])
def test_inverted_stereo_with_a_constant_on_both_channels_is_heard(constant: float) -> None:
    samples = mixed(0.5 * voice() + constant, -0.5 * voice() + constant)
    assert likeness(samples, voice()) > 0.99


@pytest.mark.parametrize("decibels", [-6, 0])
def test_inverted_stereo_with_a_hum_on_both_channels_is_heard(decibels: float) -> None:
    seconds = np.arange(len(voice())) / SAMPLE_RATE
    hum = as_loud(np.sin(2 * np.pi * 50 * seconds).astype(np.float32), voice(), decibels)
    samples = mixed(0.5 * (voice() + hum), 0.5 * (hum - voice()))
    assert likeness(samples, voice() + hum / 3) > 0.9


@pytest.mark.parametrize("late", [1, 2, 3, 4])
def test_inverted_stereo_that_is_a_little_late_is_heard(late: int) -> None:
    samples = mixed(voice(), -np.roll(voice(), late))
    assert level(samples) > level(voice()) - 5


@pytest.mark.parametrize("decibels", [-30, -20, -10])
def test_inverted_stereo_in_noise_is_heard(decibels: float) -> None:
    noises = (as_loud(_RANDOM.permutation(_NOISE), voice(), decibels) for _ in range(2))
    left, right = (sign * voice() + noise for sign, noise in zip((1, -1), noises, strict=True))
    assert likeness(mixed(left, right), voice()) > 0.9


@pytest.mark.parametrize(
    ("mask", "signs"),
    [
        (_FIVE_ONE, (1, -1, 0, 0, 0, 0)),
        (_FIVE_ONE, (0, 0, 0, 0, 1, -1)),
        (_FIVE_ONE, (1, -1, 0, 0, 1, -1)),
        (_FIVE_ONE, (0.707, 0, -1, 0, 0, 0)),
        (_QUAD, (1, -1, 0, 0)),
        (_QUAD, (1, 1, -1, 1)),
        (_QUAD, (1, -1, -1, 1)),
        (3, (1, -1)),
        (0x30, (1, -1)),  # the resampler cannot mix it
    ],
)
def test_polarity_of_a_channel_among_many(mask: int, signs: tuple[float, ...]) -> None:
    samples = mixed(*(sign * voice() for sign in signs), mask=mask)
    assert likeness(samples, voice()) > 0.999
    assert level(samples) > level(voice()) - 6


@pytest.mark.parametrize("mask", [_FIVE_ONE, _QUAD])
def test_inverted_pair_beside_other_channels_is_heard(mask: int) -> None:
    others = [as_loud(_RANDOM.permutation(_NOISE), voice(), -20) for _ in range(mask.bit_count())]
    others[:2] = [others[0] + voice(), others[1] - voice()]
    assert likeness(mixed(*others, mask=mask), voice()) > 0.95


@pytest.mark.parametrize(
    ("mask", "channel"), [(3, 0), (3, 1), *((_FIVE_ONE, each) for each in (0, 1, 2, 4, 5))]
)
def test_one_channel_of_silence_takes_nothing_away(mask: int, channel: int) -> None:
    channels = [np.zeros_like(voice()) for _ in range(mask.bit_count())]
    channels[channel] = voice()
    np.testing.assert_allclose(mixed(*channels, mask=mask), voice(), atol=2 / 32768)


@pytest.mark.parametrize("channels", [3, 6, 7, 8])
def test_every_channel_of_a_recorder_is_heard(channels: int) -> None:
    # without a mask FFmpeg takes one of them for low-frequency effects, and leaves it out
    for channel in range(channels):
        given = [np.zeros_like(voice()) for _ in range(channels)]
        given[channel] = voice()
        assert likeness(mixed(*given), voice()) > 0.999


def test_low_frequency_effects_are_left_out() -> None:
    times = np.arange(len(voice())) / SAMPLE_RATE
    rumble = (0.5 * np.sin(2 * np.pi * 60 * times)).astype(np.float32)
    silence = np.zeros_like(voice())
    samples = mixed(silence, silence, voice(), rumble, silence, silence, mask=_FIVE_ONE)
    np.testing.assert_allclose(samples, voice(), atol=2 / 32768)


def test_mid_and_side_keep_both_speakers() -> None:
    left, right = voice(5), voices()[0][: 5 * SAMPLE_RATE]
    right = as_loud(np.pad(right, (0, len(left) - len(right))), left)
    silence = np.zeros_like(left)
    # in turn, left then right; the mean of mid and side is left alone
    one, other = np.concatenate([left, silence]), np.concatenate([silence, right])
    samples = mixed((one + other) / 2, (one - other) / 2)
    assert likeness(samples[: len(left)], left) > 0.95
    assert likeness(samples[len(left) :], right) > 0.95
    assert level(samples[len(left) :]) > level(right) - 10


def test_change_of_polarity_midway_is_heard_without_a_click() -> None:
    sound = (
        np.sin(2 * np.pi * 200 * np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32) / 4
    )
    turned = np.where(np.arange(len(sound)) < 3 * SAMPLE_RATE, 1, -1) * sound
    samples = mixed(sound, turned)
    steps = np.abs(np.diff(samples))
    assert steps.max() < 1.2 * np.abs(np.diff(sound)).max()
    for start, end in pairwise(range(0, len(sound), SAMPLE_RATE // 2)):
        assert level(samples[start:end]) > level(sound) - 10


@pytest.mark.parametrize("noise", ["white", "pink", "hum"])
@pytest.mark.parametrize("decibels", [-10, 0, 10])
@pytest.mark.parametrize("swapped", [False, True])
def test_channel_of_steady_noise_is_left_out(noise: str, decibels: float, swapped: bool) -> None:
    times = np.arange(len(_NOISE)) / SAMPLE_RATE
    made = {
        "white": _NOISE,
        "pink": pink(_NOISE),
        "hum": sum(np.sin(2 * np.pi * 50 * each * times) / each for each in range(1, 12)),
    }[noise]
    for speech in voices():
        pair = (speech, as_loud(np.asarray(made, np.float32), speech, decibels))
        assert likeness(mixed(*(reversed(pair) if swapped else pair)), speech) > 0.97


@pytest.mark.parametrize("times", [3, 6])
def test_channel_of_steady_noise_at_a_higher_rate(times: int) -> None:
    pair = np.stack([voice(), as_loud(_NOISE, voice())], axis=1)
    integers = (np.repeat(pair, times, axis=0) * 32767).clip(-32768, 32767).astype("<i2")
    samples = load(io.BytesIO(wav(integers, times * SAMPLE_RATE)))
    assert likeness(samples, voice()) > 0.97


def pink(noise: Samples) -> Samples:
    """The same with 3 dB less for each octave."""
    spectrum = np.fft.rfft(noise)
    scale = np.sqrt(np.maximum(1, np.arange(len(spectrum))))
    return np.fft.irfft(spectrum / scale).astype(np.float32)


@pytest.mark.parametrize("decibels", [0, 6])
def test_voice_in_noise_is_not_left_out(decibels: float) -> None:
    for one, other in pairwise(voices()):
        for noise in (_NOISE, pink(_NOISE)):
            assert is_as_given(one, other + as_loud(noise, other, -decibels))


def test_speakers_on_a_channel_each_are_both_mixed() -> None:
    for one, other in pairwise(voices()):
        assert is_as_given(one, other)
        assert is_as_given(one + as_loud(_NOISE, one, -30), np.roll(one, 3 * SAMPLE_RATE))


@pytest.mark.parametrize(
    ("late", "share"),
    [*((late, share) for late in (0, 3, 8) for share in (1.0, 0.5, 0.1)), (16, 0.5), (48, 0.5)],
)
def test_ordinary_stereo_stays_bit_for_bit(late: int, share: float) -> None:
    for speech in voices():
        room = as_loud(_NOISE, speech, -40)
        assert is_as_given(speech + room, share * np.roll(speech, late) + np.roll(room, 999))


def is_as_given(*channels: Samples) -> bool:
    """Whether all of it is mixed as openai-whisper does."""
    length = min(map(len, channels))
    samples = np.stack([each[:length] for each in channels], axis=1).astype(np.float32)
    parts = (samples[start : start + SAMPLE_RATE] for start in range(0, len(samples), SAMPLE_RATE))
    downmix = Downmix(np.ones(len(channels), np.float32), SAMPLE_RATE)
    return all(each is None for each in downmix.mixed(parts))


@pytest.mark.parametrize("length", [1, 3, 100, 16_000, 16_001, 40_000])
def test_recordings_of_any_length_keep_it(length: int) -> None:
    sound = _NOISE[:length] / 10
    assert len(mixed(sound, -sound)) == length
    assert len(mixed(sound, np.zeros_like(sound))) == length


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 192_000])
@pytest.mark.parametrize("dtype", ["<i2", "<i4", "<f4", "<f8", "|u1"])
def test_inverted_stereo_of_any_rate_and_format(rate: int, dtype: str) -> None:
    times = np.arange(2 * rate) / rate
    sound = np.sin(2 * np.pi * 440 * times) / 4
    pair = np.stack([sound, -sound], axis=1)
    samples = load(io.BytesIO(written(pair, rate, dtype)))
    assert len(samples) == 2 * SAMPLE_RATE
    assert level(samples[SAMPLE_RATE // 2 : -SAMPLE_RATE // 2]) == pytest.approx(
        level(sound.astype(np.float32)) - 2.5, abs=0.2
    )


def written(samples: npt.NDArray[np.float64], rate: int, dtype: str) -> bytes:
    """A WAV file of samples in [-1, 1]."""
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return extensible(samples.astype(kind), 3, 3, rate)
    scale = 2.0 ** (8 * kind.itemsize - 1) - 1
    offset = 128 if kind.kind == "u" else 0
    return extensible((samples * scale + offset).round().astype(kind), 3, 1, rate)


def test_inverted_stereo_that_was_compressed() -> None:
    sound = voice(4)
    integers = (np.stack([sound, -sound]) * 32767).astype(np.int16)
    for container, codec in [("mp4", "aac"), ("ogg", "libopus"), ("mp3", "libmp3lame")]:
        samples = load(io.BytesIO(encoded(integers, container, codec)))
        assert level(samples) > level(sound) - 4


def encoded(samples: npt.NDArray[np.int16], container: str, codec: str) -> bytes:
    """A stereo file of `[2, samples]`."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=48_000, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples.T).reshape(1, -1), format="s16", layout="stereo"
        )
        frame.rate = SAMPLE_RATE
        resampler = av.AudioResampler(stream.format, "stereo", 48_000, stream.frame_size or 1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return file.getvalue()
