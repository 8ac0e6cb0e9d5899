"""Loading: every format, every broken file, nothing but the file itself."""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.audio.load.load_audio import load
from models.errors import AudioError
from models.units import SAMPLE_RATE
from tests.speech_clips import BROKEN, FORMATS, Clip, clips, jfk

Samples = npt.NDArray[np.float32]


def reference() -> Samples:
    """jfk's samples as Python's own wave module reads them."""
    with wave.open(str(FORMATS / "jfk-16k.wav")) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return data.astype(np.float32) / 32768.0


def wav(data: npt.NDArray[np.int16], rate: int = SAMPLE_RATE, length: int | None = None) -> bytes:
    """A WAV file of `[samples, channels]` whose header states `length` bytes of data."""
    body, channels = data.astype("<i2").tobytes(), data.shape[1]
    stated = len(body) if length is None else length
    riff = min(36 + stated, 0xFFFF_FFFF)
    fmt = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16
    )
    return (
        struct.pack("<4sI4s", b"RIFF", riff, b"WAVE")
        + fmt
        + struct.pack("<4sI", b"data", stated)
        + body
    )


def tone(rate: int, channels: int = 1, seconds: float = 1.0) -> npt.NDArray[np.int16]:
    """440 Hz at a quarter of full scale, `[samples, channels]`."""
    times = np.arange(int(rate * seconds)) / rate
    signal = (8192 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
    return np.repeat(signal[:, None], channels, axis=1)


def encode(
    container: str, codec: str, rate: int = SAMPLE_RATE, seconds: float = 2.0, volume: int = 1
) -> bytes:
    """A file of that container and codec with a tone in it; volume 0: with silence."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        signal = volume * tone(rate, 1, seconds).T
        frame = av.AudioFrame.from_ndarray(signal, format="s16", layout="mono")
        frame.rate = rate
        resampler = av.AudioResampler(stream.format, stream.layout, rate, stream.frame_size or 1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return file.getvalue()


def test_load_flac_equals_wav_bit_for_bit() -> None:
    samples = load(jfk().path)
    assert samples.dtype == np.float32
    assert samples.shape == (176_000,)
    np.testing.assert_array_equal(samples, reference())
    np.testing.assert_array_equal(load(FORMATS / "jfk-16k.wav"), reference())


@pytest.mark.parametrize(
    ("name", "correlation"),
    [
        ("jfk.mp3", 0.9999),
        ("jfk-48k-stereo.mp3", 0.9999),
        ("jfk.m4a", 0.9999),
        ("jfk-video.mp4", 0.9999),
        ("jfk-8k-mulaw.wav", 0.999),
        ("jfk-44k-stereo-24bit.wav", 0.9999),
        ("jfk.ogg", 0.995),
        ("jfk.opus", 0.995),
    ],
)
def test_load_format(name: str, correlation: float) -> None:
    samples, expected = load(FORMATS / name), reference()
    if "24bit" in name:  # only its beginning is kept
        expected = expected[: round(1.5 * SAMPLE_RATE)]
    # AAC's last frame is filled up
    assert 0 <= len(samples) - len(expected) <= 128
    assert np.corrcoef(samples[: len(expected)], expected)[0, 1] > correlation


def test_load_webm() -> None:
    # libavformat counts this file's codec delay at the wrong rate: it comes 4.3 ms late.
    samples, expected = load(FORMATS / "jfk.webm"), reference()
    assert len(samples) - len(expected) == 69
    assert np.corrcoef(samples[69:], expected)[0, 1] > 0.98


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("aiff", "pcm_s16be", 22_050),
        ("au", "pcm_s16be", 16_000),
        ("avi", "pcm_s16le", 44_100),
        ("caf", "pcm_s16le", 48_000),
        ("adts", "aac", 32_000),
        ("flac", "flac", 96_000),
        ("mov", "pcm_s16le", 44_100),
        ("mp2", "mp2", 32_000),
        ("mpeg", "mp2", 48_000),
        ("mpegts", "aac", 48_000),
        ("ogg", "libopus", 24_000),
        ("w64", "pcm_s16le", 11_025),
        ("wav", "pcm_f32le", 16_000),
        ("wav", "pcm_s32le", 16_000),
        ("wav", "pcm_u8", 8_000),
    ],
)
def test_load_container_and_rate(container: str, codec: str, rate: int) -> None:
    samples = load(io.BytesIO(encode(container, codec, rate)))
    # lossy codecs add a frame of delay and one of padding
    assert 2.0 - 0.001 < len(samples) / SAMPLE_RATE < 2.0 + 0.15
    middle = samples[SAMPLE_RATE // 2 : 3 * SAMPLE_RATE // 2]
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 440
    assert np.abs(middle).max() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 8, 24])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_load_channels_are_mixed(channels: int, rate: int) -> None:
    samples = load(io.BytesIO(wav(tone(rate, channels), rate)))
    assert len(samples) == SAMPLE_RATE
    assert np.abs(samples[1000:-1000]).max() == pytest.approx(0.25, abs=0.01)


def test_load_stereo_is_the_mean_of_both() -> None:
    left = tone(SAMPLE_RATE)
    stereo = np.concatenate([left, np.roll(left, 9, axis=0) // 2], axis=1)
    samples = load(io.BytesIO(wav(stereo)))
    np.testing.assert_allclose(samples, stereo.mean(axis=1) / 32768.0, atol=1.5 / 32768)


def test_load_rate_changes_midway() -> None:
    joined = encode("adts", "aac", 16_000) + encode("adts", "aac", 48_000)
    samples = load(io.BytesIO(joined))
    assert len(samples) / SAMPLE_RATE == pytest.approx(4.0, abs=0.3)
    for second in (0.5, 2.7):
        middle = samples[int(second * SAMPLE_RATE) :][:SAMPLE_RATE]
        assert np.argmax(np.abs(np.fft.rfft(middle))) == 440


@pytest.mark.parametrize("length", [0, 0x7FFF_F000, 0x7FFF_FFFF, 0xFFFF_FFFF])
def test_load_piped_wav_without_length(length: int) -> None:
    assert len(load(io.BytesIO(wav(tone(SAMPLE_RATE), length=length)))) == SAMPLE_RATE


def test_load_mp3_without_xing_frame() -> None:
    data = (FORMATS / "jfk.mp3").read_bytes()
    at = data.index(b"Info")
    plain = data[: at - 13] + data[data.index(b"\xff\xf3", at) :]
    assert len(load(io.BytesIO(plain))) == pytest.approx(176_000, abs=3 * 576)


def test_load_live_webm_without_length() -> None:
    file = io.BytesIO()
    data = encode("webm", "libopus", 48_000)
    with (
        av.open(io.BytesIO(data), "r") as given,
        av.open(file, "w", format="webm", container_options={"live": "1"}) as output,
    ):
        stream = output.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(audio=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    live = file.getvalue()
    assert b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" in live
    assert len(load(io.BytesIO(live))) == pytest.approx(2 * SAMPLE_RATE, abs=400)
    # cut anywhere, it is still what a recorder leaves behind
    assert len(load(io.BytesIO(live[: len(live) // 2]))) > SAMPLE_RATE // 2


def test_load_damaged_packets_are_left_out() -> None:
    data = bytearray((FORMATS / "jfk.m4a").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 500] = b"\xff" * 500
    samples = load(io.BytesIO(bytes(data)))
    assert 165_000 < len(samples) <= 176_128


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty.wav", "The file is empty."),
        ("one-byte.mp3", "The file could not be decoded: it is damaged, or not audio"),
        ("text.mp3", "The file could not be decoded: it is damaged, or not audio"),
        ("not-audio.wav", "The file could not be decoded: it is damaged, or not audio"),
        ("truncated.mp3", "The file is cut off or damaged: 0.3 of 10.9 seconds can be decoded."),
    ],
)
def test_load_broken_file(name: str, message: str) -> None:
    with pytest.raises(AudioError) as caught:
        load(BROKEN / name)
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message
    assert str(BROKEN) not in caught.value.message


@pytest.mark.parametrize("share", [0.1, 0.5, 0.65])
@pytest.mark.parametrize(
    "path", [jfk().path, *sorted(FORMATS.iterdir())], ids=lambda path: path.name
)
def test_load_cut_off_file(path: Path, share: float) -> None:
    data = path.read_bytes()
    with pytest.raises(AudioError, match="cut off"):
        load(io.BytesIO(data[: int(len(data) * share)]))


def test_load_header_without_audio() -> None:
    with pytest.raises(AudioError, match="empty"):
        load(io.BytesIO(wav(tone(SAMPLE_RATE, seconds=0))))


def test_load_only_broken_packets() -> None:
    data = (FORMATS / "jfk.m4a").read_bytes()
    at = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    with pytest.raises(AudioError, match="nothing in it could be decoded"):
        load(io.BytesIO(data[:at] + b"\xff" * (end - at) + data[end:]))


def test_load_video_without_audio() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = 32
        picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
        output.mux([*stream.encode(picture), *stream.encode(None)])
    with pytest.raises(AudioError, match="no audio track"):
        load(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize("rate", [1, 999, 768_001])
def test_load_absurd_rate(rate: int) -> None:
    with pytest.raises(AudioError, match=f"sample rate of {rate} Hz"):
        load(io.BytesIO(wav(tone(SAMPLE_RATE), rate)))


def test_load_missing_path(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing.wav")


@given(st.binary(max_size=2000))
@settings(max_examples=200)
def test_load_any_bytes_give_samples_or_audio_error(data: bytes) -> None:
    assert_samples_or_audio_error(data)


@given(
    st.sampled_from(sorted(FORMATS.iterdir())),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=20),
)
@settings(max_examples=100)
def test_load_flipped_bytes_give_samples_or_audio_error(
    path: Path, flips: list[tuple[int, int]]
) -> None:
    data = bytearray(path.read_bytes())
    for position, value in flips:
        data[position] = value
    assert_samples_or_audio_error(bytes(data))


def assert_samples_or_audio_error(data: bytes) -> None:
    """Fails on any other exception, and on samples that are none."""
    try:
        samples = load(io.BytesIO(data))
    except AudioError:
        return
    assert samples.dtype == np.float32
    assert len(samples)
    assert np.abs(samples).max() <= 1.0


@pytest.mark.parametrize("clip", clips(), ids=str)
def test_load_clip_has_its_length(clip: Clip) -> None:
    assert len(load(clip.path)) / SAMPLE_RATE == pytest.approx(clip.seconds, abs=0.02)
